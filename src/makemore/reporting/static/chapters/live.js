// The first screen: one model, a field to type in, the probabilities of what is typed, and generated names.

import { bars, label, likeliest, ranked } from "../bars.js";
import { cells, spell } from "../cells.js";
import { element, number } from "../charts.js";
import { at, complaint, encode, meanNll, models, percent, perplexity } from "../data.js";
import { bindModel, bindNumber, bindText } from "../fields.js";
import { chapter } from "../frame.js";
import { finish, score, tempered } from "../models.js";
import { inTrain } from "../names.js";
import { generator } from "../random.js";
import { state, subscribe, update } from "../store.js";

const GENERATED = 10;

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
  const list = likeliest(probs);
  bars(at("next"), {
    title: `Probability of the next character ${after}`,
    description: `Most likely at temperature ${temperature.toFixed(1)}: ${list}.`,
    height: 190,
    rest: `Most likely: ${list}.${temperature === 1 ? "" : " Lines mark temperature 1."}`,
    yLabel: "probability",
    tokens: ranked(plain),
    before: tokens.at(-1) ?? 0,
    values: probs,
    levels: temperature === 1 ? undefined : plain,
    text: (id) => `${label(id)}: ${percent(probs[id])}, at temperature 1 ${percent(plain[id])}`,
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
