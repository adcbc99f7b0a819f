// A name as a row of cells: each character with its probability, shaded by how likely it is.

import { element } from "./charts.js";
import { boundary, data, glyph, percent, probability, V } from "./data.js";

/** The style of a shade: cool if a probability is above that of a uniform model, warm if below. */
export function shade(p) {
  const ratio = Math.log(p * V) / Math.log(V); // 0: as likely as under a uniform distribution; 1: certain
  return `--shade: var(--${ratio < 0 ? "warm" : "cool"}-shade); --k: ${Math.min(1, Math.abs(ratio)).toFixed(3)}`;
}

/** The cell of the boundary before a name. */
export const startCell = () =>
  element("li", { class: "start" }, element("b", {}, boundary), element("span", {}, "start"));

/** The cells of a name's tokens and its end, with the probability of each. */
export function cells(probs, tokens, label) {
  const items = probs.map((p, i) => {
    const token = tokens[i] ?? 0;
    const name = token ? glyph(token) : "end";
    const pair = `${tokens[i - 1] ?? 0},${token}`;
    const shown = element("b", {}, token ? name : boundary);
    const item = element("li", { style: shade(p), title: `${name}: ${percent(p)}`, "data-pair": pair }, shown);
    item.append(element("span", {}, probability(p)));
    if (!token) item.append(element("span", { class: "said" }, " end of the name"));
    return item;
  });
  return element("ol", { class: "cells", dir: "auto", "aria-label": label }, ...items);
}

/** The text of tokens. */
export const spell = (tokens) => tokens.map((token) => data.itos[token]).join("");
