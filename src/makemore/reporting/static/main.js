// What starts the page: the state from the address or the defaults, then the chapters.

import { at, data, encode, models } from "./data.js";
import { start, startAll } from "./frame.js";
import { follow } from "./hash.js";
import "./linked.js";
import { finish, score, tempered } from "./models.js";
import { state, update } from "./store.js";

update({ model: models.names.at(-1), text: at("text").value, pair: [0, data.bigrams.shown[1] ?? 0] });
follow();
start(at("live")); // at once, the others later

// Used by the tests
window.makemore = { models, encode, score, tempered, finish, state, update, startAll };
