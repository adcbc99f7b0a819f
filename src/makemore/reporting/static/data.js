// What page.py embedded, and what every chapter does with tokens and probabilities.
//
// Shapes: V vocabulary.

import { load } from "./models.js";

export const at = (id) => document.getElementById(id);
export const data = JSON.parse(at("data").textContent);
export const V = data.itos.length;
export const uniform = Math.log(V); // the loss of a uniform model
const stoi = new Map(data.itos.map((character, id) => [character, id]));

/** A visible form of a character: a symbol for white space, and a base for combining marks. */
export function visible(character) {
  if (/\s/u.test(character)) return "␣";
  return /^\p{M}/u.test(character) ? `◌${character}` : character;
}

export const boundary = visible(data.itos[0]);

/** The text of a token. The boundary is itself before a name, and the end after it. */
export const glyph = (id) => (id ? visible(data.itos[id]) : boundary);

/** The live models by name. Each is decoded when it is first used, since that takes time. */
export const models = {
  names: data.live.map(({ name }) => name),
  loaded: new Map(),
  get(name) {
    if (!this.loaded.has(name)) this.loaded.set(name, load(this.source(name), V));
    return this.loaded.get(name);
  },
  source: (name) => data.live.find((model) => model.name === name),
};

/** Encode typed text by code point. `unknown` is the first character outside the vocabulary, if any. */
export function encode(text) {
  const characters = [...text.normalize("NFC").trim()];
  const unknown = characters.find((character) => !stoi.get(character)); // the boundary, id 0, cannot be typed either
  return { characters, unknown, tokens: characters.map((character) => stoi.get(character)) };
}

export function complaint(unknown) {
  if (unknown === undefined) return "";
  const other = [unknown.toLowerCase(), unknown.toUpperCase()].find((character) => stoi.get(character));
  return `“${unknown}” is not among the ${V - 1} characters of the list${other ? `, “${other}” is` : ""}.`;
}

/** Mean negative log-likelihood in nats per predicted token, end included. */
export const meanNll = (probs) => probs.reduce((sum, p) => sum - Math.log(p), 0) / probs.length;

export const percent = (p) =>
  p === 0 ? "0 %" : p < 0.0001 ? "<0.01 %" : `${(100 * p).toPrecision(p < 0.001 ? 1 : p < 0.1 ? 2 : 3)} %`;
export const probability = (p) => (p > 0.0995 ? `${(100 * p).toFixed(0)} %` : percent(p));

export function perplexity(nll) {
  const value = Math.exp(nll);
  if (value === Infinity) return "∞";
  if (value < 1000) return value.toFixed(2);
  return value < 1e6 ? Math.round(value).toLocaleString("en") : value.toExponential(1).replace("+", "");
}
