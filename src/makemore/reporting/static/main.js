// What starts the page: the state from the address or the defaults, then the chapters.

import { at, data, encode, models } from "./data.js";
import { start, startAll } from "./frame.js";
import { follow } from "./hash.js";
import { link } from "./linked.js";
import { finish, score, tempered } from "./models.js";
import { inTrain } from "./names.js";
import { generator } from "./random.js";
import { state, update } from "./store.js";

const { shown, counts } = data.bigrams;
const most = Math.max(...counts.flat());
const first = counts.findIndex((line) => line.includes(most));
const pair = [shown[first], shown[counts[first].indexOf(most)]];
const opened = { model: models.names.at(-1), text: at("text").value, temperature: 1, seed: 1, pair };
update(opened);
follow();
link();
start(at("live")); // at once, the others later

// Used by the tests
const reset = () => update(opened);
window.makemore = { models, encode, score, tempered, finish, generator, inTrain, state, update, startAll, reset };
