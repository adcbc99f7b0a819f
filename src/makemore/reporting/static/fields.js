// Input fields that show and change the shared state.

import { element } from "./charts.js";
import { models } from "./data.js";
import { subscribe, update } from "./store.js";

/** Keep a field and a key of the state the same. `read` turns what was entered into a value, undefined if it is none. */
function bind(field, key, read) {
  subscribe([key], (state) => {
    if (read(field) !== state[key]) field.value = state[key];
  });
  field.addEventListener("input", () => {
    const value = read(field);
    if (value !== undefined) update({ [key]: value });
  });
}

export const bindText = (field) => bind(field, "text", ({ value }) => value);

export function bindModel(field) {
  field.append(...models.names.map((name) => element("option", { value: name }, name)));
  bind(field, "model", ({ value }) => value);
}

/** A number that the field's own bounds allow. */
export const bindNumber = (field, key) =>
  bind(field, key, ({ value, valueAsNumber, validity }) => (value && validity.valid ? valueAsNumber : undefined));
