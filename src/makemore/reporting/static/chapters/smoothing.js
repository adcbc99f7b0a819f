// Smoothing, live: one slider moves the row of the matrix, the score of a name, and the losses on train and dev.

import { bars, likeliest } from "../bars.js";
import { cells } from "../cells.js";
import { axes, chart, element, extent, number, numbers, path, short, svg, ticks } from "../charts.js";
import { Counts, lossOf } from "../counts.js";
import { at, complaint, data, encode, glyph, meanNll, percent, perplexity, V } from "../data.js";
import { chapter } from "../frame.js";
import { state, subscribe, update } from "../store.js";

const LAST = 101; // of the slider's positions: 0, then 20 strengths per power of 10
const ONE = 61; // the lecture's strength, N + 1
const NAME = "andrejq"; // the lecture's example: no name of its list has the pair jq

const strengthAt = (position) => (position ? 10 ** ((position - ONE) / 20) : 0);
const sums = Object.entries(data.additive.losses); // of bigram and trigram, on train and dev

/** Of each model, the losses on train and dev at every position of the slider, and the position of the best on dev. */
const curves = sums.map(([name, splits], order) => {
  const along = (split) => Array.from({ length: LAST + 1 }, (_, i) => lossOf(splits[split], strengthAt(i), V));
  const [train, dev] = [along("train"), along("dev")];
  return { name, size: order + 1, train, dev, best: dev.indexOf(Math.min(...dev)) };
});

function drawLosses(position) {
  const y = extent(curves.flatMap(({ train, dev }) => [...train, ...dev]));
  const best = curves
    .map(({ name, dev, best }) => `${name} ${number(dev[best])} at ${short(strengthAt(best))}`)
    .join(", ");
  at("smoothing-best").textContent = `Lowest dev loss: ${best}.`;
  const cell = (value) => element("td", {}, number(value));
  at("smoothing-losses").tBodies[0].replaceChildren(
    ...curves.map(({ name, train, dev }) =>
      element("tr", {}, element("th", { scope: "row" }, name), cell(train[position]), cell(dev[position])),
    ),
  );
  chart(at("smoothing-chart"), {
    title: "Loss by smoothing strength",
    description: `In nats per token. The train loss rises with the strength. The dev loss has a minimum: ${best}.`,
    height: (width) => (width < 480 ? 260 : 300),
    draw: (width, height) => {
      const { toX, toY, drawn, left, top } = axes(width, height, [0, LAST], y, {
        xTicks: [0, 21, 41, 61, 81, 101],
        yTicks: ticks(y, 5),
        xLabel: "added to each count",
        yLabel: "loss, nats per token",
        xFormat: (tick) => short(strengthAt(tick)),
      });
      const [shapes, points] = [drawn, []];
      const x = toX(position);
      shapes.push(svg("line", { class: "selected", x1: x, x2: x, y1: top, y2: height - 40 }));
      for (const { name, train, dev, best } of curves) {
        for (const [split, losses] of Object.entries({ train, dev })) {
          const finite = losses.map((loss, i) => [toX(i), toY(loss)]).filter(([, y]) => Number.isFinite(y));
          shapes.push(svg("path", { class: `line ${split}`, d: path(finite) }));
          if (!Number.isFinite(losses[position])) continue;
          shapes.push(svg("circle", { class: `dot ${split}`, cx: x, cy: toY(losses[position]), r: 4.5 }));
        }
        shapes.push(svg("text", { class: "strong", x: left + 14, y: toY(dev[1]) - 8 }, name));
        shapes.push(svg("circle", { class: "ring dev", cx: toX(best), cy: toY(dev[best]), r: 7 }));
        if (dev[0] === Infinity) shapes.push(svg("text", { class: "dev-text", x: left + 6, y: top + 12 }, "∞"));
        dev.forEach((loss, i) => {
          const text = `${name}, ${short(strengthAt(i))} added: train ${number(train[i])}, dev ${number(loss)}`;
          points.push([toX(i), Number.isFinite(loss) ? toY(loss) : top, text]);
        });
      }
      return { shapes, points };
    },
  });
}

function drawRow(counts, strength, before) {
  const shown = data.bigrams.shown;
  const [plain, probs] = [counts.probs([before], 0), counts.probs([before], strength)];
  bars(at("smoothing-bars"), {
    title: `What follows ${before ? glyph(before) : "the start of a name"}, with ${short(strength)} added to each count`,
    description: `Most likely: ${likeliest(probs, shown)}.`,
    height: 230,
    yLabel: "probability",
    tokens: shown,
    before,
    values: probs,
    levels: plain,
    text: (id) =>
      `${glyph(before)}${glyph(id)}: count ${counts.row([before])[id]}, ${percent(plain[id])} before, ${percent(probs[id])} now`,
  });
}

function showScores(counts, strength) {
  const { unknown, tokens } = encode(at("smoothing-name").value);
  at("smoothing-error").textContent = complaint(unknown);
  if (unknown !== undefined) return at("smoothing-scores").replaceChildren();
  const blocks = curves.flatMap(({ name, size }) => {
    const probs = counts.score(tokens, size, strength);
    const nll = meanNll(probs);
    const loss = element("p", { class: "note" }, `${number(nll, 3)} nats per token, perplexity ${perplexity(nll)}`);
    const title = element("h3", {}, name);
    return [title, cells(probs, tokens, `${name}, smoothed: probability of each character`), loss];
  });
  return at("smoothing-scores").replaceChildren(...blocks);
}

/** A name that is impossible without smoothing, if there is one: the lecture's, or the example with another end. */
function impossible(counts) {
  const { unknown, tokens } = encode(NAME);
  if (unknown === undefined && counts.score(tokens, 1, 0).includes(0)) return NAME;
  const example = encode(state.text).tokens;
  const last = counts.row([example.at(-1) ?? 0]).findIndex((count, id) => id && !count);
  return [...example, ...(last > 0 ? [last] : [])].map((id) => data.itos[id]).join("");
}

chapter("smoothing", () => {
  const counts = data.additive.counts && new Counts(data.additive, V);
  const strength = () => strengthAt(Number(at("strength").value));
  let before = 0; // the row of the matrix
  const pick = (token) => {
    before = token;
    at("smoothing-row").value = token;
    drawRow(counts, strength(), token);
  };
  const show = () => {
    at("strength-value").textContent = short(strength());
    at("strength").setAttribute("aria-valuetext", short(strength()));
    drawLosses(Number(at("strength").value));
    if (!counts) return;
    drawRow(counts, strength(), before);
    showScores(counts, strength());
  };
  at("strength").value = ONE;
  at("strength").addEventListener("input", show);
  at("smoothing-views").hidden = !counts;
  if (counts) {
    const option = (id) => element("option", { value: id }, id ? `after ${glyph(id)}` : "at the start");
    at("smoothing-row").append(...data.bigrams.shown.map(option));
    at("smoothing-row").addEventListener("input", ({ target }) => {
      pick(Number(target.value));
      update({ pair: [before, state.pair[1]] });
    });
    at("smoothing-name").value = impossible(counts);
    at("smoothing-name").addEventListener("input", () => showScores(counts, strength()));
    let begun = false; // with the row in which the name is impossible, not with the selected one
    subscribe(["pair"], ({ pair }) => begun && pick(pair[0]));
    begun = true;
    pick(encode(at("smoothing-name").value).tokens.at(-2) ?? 0);
  }
  show();
  numbers(
    at("smoothing-chart").closest("figure"),
    "Losses by smoothing strength",
    ["added to each count", ...curves.flatMap(({ name }) => [`${name}, train`, `${name}, dev`])],
    () =>
      Array.from({ length: LAST + 1 }, (_, i) => i)
        .filter((i) => i === 0 || i % 5 === 1)
        .map((i) => [short(strengthAt(i)), ...curves.flatMap(({ train, dev }) => [number(train[i]), number(dev[i])])]),
  );
});
