// The state that chapters share: what is typed, which model runs, which pair of characters is selected.

const subscribers = new Set();

/** `pair` is two token ids: a character and the one after it. Everything that shows characters shows the selected one. */
export const state = { model: "", text: "", temperature: 1, seed: 1, pair: [0, 0] };

/** Call a function with the state, now and whenever one of the keys changes. */
export function subscribe(keys, notify) {
  subscribers.add({ keys, notify });
  notify(state);
}

/** Change some of the state, and tell those who subscribed to what changed. */
export function update(changes) {
  const same = (a, b) => a === b || (Array.isArray(a) && a.every((item, i) => item === b[i]));
  const changed = Object.keys(changes).filter((key) => !same(state[key], changes[key]));
  Object.assign(state, changes);
  for (const { keys, notify } of subscribers) if (keys.some((key) => changed.includes(key))) notify(state);
}
