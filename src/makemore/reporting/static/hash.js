// The state in the address, so that a view can be sent: #chapter&model=lstm&text=emma&temperature=1&seed=1

import { models } from "./data.js";
import { state, subscribe, update } from "./store.js";

const KEYS = ["model", "text", "temperature", "seed"];

/** The chapter and the state that an address names. What it does not name, or names wrongly, is left out. */
export function parse(hash) {
  const [id, ...rest] = hash.slice(1).split("&");
  const found = new URLSearchParams((id.includes("=") ? [id, ...rest] : rest).join("&"));
  const changes = {};
  if (models.names.includes(found.get("model"))) changes.model = found.get("model");
  if (found.has("text")) changes.text = [...found.get("text")].slice(0, 50).join("");
  const [temperature, seed] = ["temperature", "seed"].map((key) => (found.has(key) ? Number(found.get(key)) : NaN));
  if (temperature >= 0 && temperature <= 2) changes.temperature = temperature;
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) changes.seed = seed;
  return { id: id.includes("=") ? "" : id, changes };
}

let chapter = "";
let writing = 0;

function write() {
  const query = new URLSearchParams(KEYS.map((key) => [key, String(state[key])]));
  history.replaceState(null, "", `#${chapter && `${chapter}&`}${query}`);
}

function read() {
  const { id, changes } = parse(location.hash);
  chapter = id;
  update(changes);
  // the browser itself finds a chapter only if the address names nothing else
  if (location.hash.includes("&")) document.getElementById(id)?.scrollIntoView();
}

function later() {
  clearTimeout(writing); // browsers limit how often the address may change
  writing = setTimeout(write, 250);
}

/** Read the address now and when it changes. Write it when the state changes, and after a jump to a chapter. */
export function follow() {
  read();
  addEventListener("hashchange", () => {
    read();
    later();
  });
  let opened = false;
  subscribe(KEYS, () => {
    if (opened) later();
    opened = true;
  });
}
