// The first screen: one model, a field to type in, the probabilities of what is typed, and generated names.

import { cells, spell } from "../cells.js";
import { axes, chart, element, number, svg, ticks } from "../charts.js";
import { at, complaint, encode, glyph, meanNll, models, percent, perplexity } from "../data.js";
import { bindModel, bindNumber, bindText } from "../fields.js";
import { chapter } from "../frame.js";
import { finish, score, tempered } from "../models.js";
import { inTrain } from "../names.js";
import { generator } from "../random.js";
import { state, subscribe, update } from "../store.js";

const GENERATED = 10;
const BARS = 40; // maximum number of next characters shown

function showScore({ model, text }) {
  const { characters, unknown, tokens } = encode(text);
  at("text-error").textContent = complaint(unknown);
  at("live-cells").hidden = unknown !== undefined;
  if (unknown !== undefined) {
    at("live-loss").textContent = "";
    return;
  }
  const { probs } = score(models.get(model), tokens);
  const nll = meanNll(probs);
  const name = characters.length ? `“${characters.join("")}”` : "the empty name";
  at("live-cells").replaceChildren(cells(probs, tokens, `${model}: probability of each character of ${name}`));
  const known = inTrain(characters.join(""));
  at("live-loss").textContent =
    `Loss of ${name}: ${number(nll, 3)} nats per token, perplexity ${perplexity(nll)}.` +
    (known === null ? "" : known ? " It is in train." : " It is not in train.");
}

function showNames({ model, text, temperature, seed }) {
  const { unknown, tokens } = encode(text);
  const prefix = at("continue").checked && unknown === undefined ? tokens : [];
  const random = generator(seed);
  const lines = Array.from({ length: GENERATED }, () => {
    const { generated, ended } = finish(models.get(model), prefix, temperature, random);
    const name = element("bdi", {}, element("span", {}, spell(prefix)), spell(generated) + (ended ? "" : "…"));
    const known = ended && inTrain(spell([...prefix, ...generated]));
    return element("li", {}, name, known ? element("small", {}, "in train") : "");
  });
  at("made").replaceChildren(...lines);
}

function showNext({ model, text, temperature }) {
  const { characters, unknown, tokens } = encode(text);
  at("temperature-value").textContent = temperature.toFixed(1);
  const after = characters.length ? `after “${characters.join("")}”` : "at the start";
  at("next-title").textContent = unknown === undefined ? `Next character ${after}` : "Next character";
  at("next").hidden = unknown !== undefined;
  if (unknown !== undefined) return;
  const plain = score(models.get(model), tokens).distributions.at(-1);
  const probs = tempered(plain, temperature);
  const ranked = [...plain.keys()].sort((a, b) => plain[b] - plain[a]);
  const shown = ranked.slice(0, BARS).sort((a, b) => a - b);
  const label = (id) => (id ? glyph(id) : "end");
  const list = ranked
    .slice(0, 5)
    .map((id) => `${label(id)} ${percent(probs[id])}`)
    .join(", ");
  chart(at("next"), {
    title: `Probability of the next character ${after}`,
    description: `Most likely at temperature ${temperature.toFixed(1)}: ${list}.`,
    height: 190,
    rest: `Most likely: ${list}.${temperature === 1 ? "" : " Lines mark temperature 1."}`,
    draw: (width, height) => {
      const y = [0, Math.max(...shown.map((id) => Math.max(plain[id], probs[id])))];
      const { toY, drawn, left, right } = axes(width, height, [0, 1], y, {
        xTicks: [],
        yTicks: ticks(y, 4),
        yLabel: "probability",
        bottom: 24,
      });
      const room = (right - left) / shown.length;
      const points = [];
      for (const [i, id] of shown.entries()) {
        const [x, size] = [left + i * room + room * 0.12, room * 0.76];
        const pair = `${tokens.at(-1) ?? 0},${id}`;
        const [top, base] = [toY(probs[id]), toY(0)];
        drawn.push(svg("rect", { class: "bar", x, width: size, y: top, height: base - top, "data-pair": pair }));
        const level = { x1: x - 1, x2: x + size + 1, y1: toY(plain[id]), y2: toY(plain[id]) };
        if (temperature !== 1)
          drawn.push(svg("line", { class: "halo", ...level }), svg("line", { class: "level", ...level }));
        const letter = { class: "glyph", x: x + size / 2, y: height - 6, "text-anchor": "middle" };
        drawn.push(svg("text", letter, glyph(id)));
        const text = `${label(id)}: ${percent(probs[id])}, at temperature 1 ${percent(plain[id])}`;
        points.push([x + size / 2, top, text, { pair }]);
      }
      return { shapes: drawn, points };
    },
  });
}

chapter("live", () => {
  bindText(at("text"));
  bindModel(at("model"));
  bindNumber(at("temperature"), "temperature");
  bindNumber(at("seed"), "seed");
  at("again").addEventListener("click", () => update({ seed: (state.seed + 1) % 2 ** 32 }));
  at("continue").addEventListener("input", () => showNames(state));
  subscribe(["model", "text"], showScore);
  subscribe(["model", "temperature", "seed", "text"], showNames);
  subscribe(["model", "text", "temperature"], showNext);
});
