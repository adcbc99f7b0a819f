// The train names, to tell which names are new.

import { data } from "./data.js";

let known = null;

/** Decode the names, one per line: a character for how many characters the name shares with the last one, and the rest. */
function decode(coded) {
  const names = new Set();
  let last = [];
  for (const line of coded.split("\n")) {
    const [shared, ...rest] = line;
    last = [...last.slice(0, shared.codePointAt(0) - 48), ...rest];
    names.add(last.join(""));
  }
  return names;
}

/** Whether a name is in train; null if the page does not hold the train names. */
export function inTrain(name) {
  if (data.train === null) return null;
  known ??= decode(data.train);
  return known.has(name.normalize("NFC"));
}
