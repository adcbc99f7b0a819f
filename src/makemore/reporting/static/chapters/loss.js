// The loss of a name, built up from the probabilities of its characters.

import { axes, chart, element, number, svg, ticks } from "../charts.js";
import { at, complaint, encode, glyph, meanNll, models, percent, perplexity, uniform } from "../data.js";
import { bindModel, bindText } from "../fields.js";
import { chapter } from "../frame.js";
import { score } from "../models.js";
import { inTrain } from "../names.js";
import { subscribe } from "../store.js";

/** Each token of a name with its probability, its loss, and the sum of the losses so far. */
function steps(tokens, probs) {
  let sum = 0;
  return probs.map((p, i) => {
    const token = tokens[i] ?? 0;
    const loss = -Math.log(p);
    sum += loss;
    return { token, p, loss, sum, pair: `${tokens[i - 1] ?? 0},${token}`, label: token ? glyph(token) : "end" };
  });
}

function drawLosses(built, mean, name) {
  const finite = built.map(({ loss }) => loss).filter(Number.isFinite);
  const y = [0, Math.ceil(Math.max(uniform, ...finite))];
  chart(at("loss-chart"), {
    title: `Loss of each character of ${name}`,
    description: `${built.map(({ label, loss }) => `${label} ${number(loss, 2)}`).join(", ")} nats. Mean ${number(mean, 3)}.`,
    height: 220,
    rest: "Point at a bar, or focus the chart and use the arrow keys.",
    draw: (width, height) => {
      const { toY, drawn, left, right } = axes(width, height, [0, 1], y, {
        xTicks: [],
        yTicks: ticks(y, 4),
        yLabel: "−ln p, nats",
        bottom: 26,
      });
      const room = Math.min(72, (right - left) / built.length);
      const points = [];
      for (const [i, { label, token, p, loss, pair }] of built.entries()) {
        const [x, top] = [left + i * room + room * 0.14, toY(Math.min(loss, y[1]))];
        const shape = { x, width: room * 0.72, y: top, height: toY(0) - top, "data-pair": pair };
        drawn.push(svg("rect", { class: loss > uniform ? "bar unlikely" : "bar", ...shape }));
        const middle = x + room * 0.36;
        drawn.push(svg("text", { class: "glyph", x: middle, y: height - 8, "text-anchor": "middle" }, glyph(token)));
        points.push([middle, top, `${label}: p = ${percent(p)}, −ln p = ${number(loss, 3)} nats`, { pair }]);
      }
      const line = (value, kind, text) => {
        if (!Number.isFinite(value)) return;
        const level = toY(Math.min(value, y[1]));
        drawn.push(svg("line", { class: kind, x1: left, x2: right, y1: level, y2: level }));
        drawn.push(svg("text", { class: "label", x: right, y: level - 6, "text-anchor": "end" }, text));
      };
      line(uniform, "uniform", `uniform model ${number(uniform, 2)}`);
      line(mean, "level", `mean ${number(mean, 2)}`);
      return { shapes: drawn, points };
    },
  });
}

function tabulate(built) {
  const head = (text) => element("th", { scope: "row" }, text);
  const line = (name, cell) => element("tr", {}, head(name), ...built.map(cell));
  const cell = (text, pair) => element("td", { "data-pair": pair }, text);
  at("loss-table").replaceChildren(
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        element("th", { scope: "col" }, "character"),
        ...built.map(({ label }) => element("th", { scope: "col" }, label)),
      ),
    ),
    element(
      "tbody",
      {},
      line("p", ({ p, pair }) => cell(p === 0 ? "0" : p.toPrecision(3), pair)),
      line("−ln p", ({ loss, pair }) => cell(number(loss, 3), pair)),
      line("sum so far", ({ sum, pair }) => cell(number(sum, 3), pair)),
    ),
  );
}

function show({ model, text }) {
  const { characters, unknown, tokens } = encode(text);
  at("loss-error").textContent = complaint(unknown);
  at("loss-built").hidden = unknown !== undefined;
  if (unknown !== undefined) return;
  const { probs } = score(models.get(model), tokens);
  const built = steps(tokens, probs);
  const [nll, { sum }] = [meanNll(probs), built.at(-1)];
  const word = characters.join("");
  const name = word ? `“${word}”` : "the empty name";
  drawLosses(built, nll, name);
  tabulate(built);
  at("loss-sum").replaceChildren(
    `Sum ${number(sum, 3)} ÷ ${built.length} tokens = `,
    element("b", {}, `${number(nll, 3)} nats per token`),
    ". Perplexity e",
    element("sup", {}, number(nll, 3)),
    " = ",
    element("b", {}, perplexity(nll)),
    `: on average, ${model} was as unsure as if it chose among ${perplexity(nll)} equally likely characters. `,
    ...(sum < 600
      ? [
          "The model generates exactly this name with probability e",
          element("sup", {}, `−${number(sum, 3)}`),
          `, ${odds(sum)}.`,
        ]
      : []),
  );
  const known = inTrain(word);
  at("loss-known").textContent =
    known === null ? "" : `${name} is ${known ? "in train: the models have seen it" : "not in train"}.`;
}

/** A probability exp(-sum) as one in so many. */
function odds(sum) {
  const names = Math.exp(sum);
  const rounded = Number(names.toPrecision(2));
  return `one in ${rounded < 1e9 ? rounded.toLocaleString("en") : rounded.toExponential(1).replace("e+", " × 10^")}`;
}

chapter("loss", () => {
  bindText(at("loss-text"));
  bindModel(at("loss-model"));
  subscribe(["model", "text"], show);
});
