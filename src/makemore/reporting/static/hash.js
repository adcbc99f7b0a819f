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
  return { id: id.includes("=") ? "" : decodeURIComponent(id), changes };
}

let current = "";
let writing = 0;

function write() {
  const query = new URLSearchParams(KEYS.map((key) => [key, String(state[key])]));
  history.replaceState(null, "", `#${current}&${query}`);
}

/** Read the address now and when it changes, and write it when the state changes. */
export function follow() {
  const read = (scroll) => {
    const { id, changes } = parse(location.hash);
    current = id;
    update(changes);
    if (scroll) document.getElementById(id)?.scrollIntoView();
  };
  read(location.hash.includes("&"));
  addEventListener("hashchange", () => read(location.hash.includes("&")));
  subscribe(KEYS, () => {
    clearTimeout(writing); // browsers limit how often the address may change
    writing = setTimeout(write, 250);
  });
}
