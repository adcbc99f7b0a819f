// Every live model's probabilities of the typed name.

import { cells } from "../cells.js";
import { element, number } from "../charts.js";
import { at, encode, meanNll, models, perplexity } from "../data.js";
import { chapter, pause } from "../frame.js";
import { score } from "../models.js";
import { subscribe } from "../store.js";

function scoredRow({ name, probs, nll }, tokens) {
  const figure = (term, value) => element("div", {}, element("dt", {}, term), element("dd", {}, value));
  return element(
    "div",
    { class: "scored", "data-model": name },
    element("h3", {}, name),
    cells(probs, tokens, `${name}: probability of each character`),
    element("dl", {}, figure("nats per token", number(nll, 3)), figure("perplexity", perplexity(nll))),
  );
}

function show({ text }) {
  const { characters, unknown, tokens } = encode(text);
  at("scores-title").textContent = `“${characters.join("")}” under every live model`;
  if (unknown !== undefined) {
    at("scores-said").textContent = "";
    at("scores-list").replaceChildren();
    return;
  }
  const scores = models.names.map((name) => {
    const { probs } = score(models.get(name), tokens);
    return { name, probs, nll: meanNll(probs) };
  });
  at("scores-list").replaceChildren(...scores.map((scored) => scoredRow(scored, tokens)));
  const best = scores.reduce((a, b) => (b.nll < a.nll ? b : a));
  at("scores-said").textContent =
    `It has its lowest loss under ${best.name}: ${number(best.nll, 3)} nats per token, perplexity ${perplexity(best.nll)}.`;
}

chapter("scores", async () => {
  for (const name of models.names) {
    models.get(name); // decoded one by one, so that the page stays responsive
    await pause();
  }
  subscribe(["text"], show);
});
