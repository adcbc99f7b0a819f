// Sampling, one character at a time: the cumulative bar, the random number, the character that it picks, the next row.

import { cells, spell, startCell } from "../cells.js";
import { chart, element, number, path, svg } from "../charts.js";
import { at, data, glyph, models, percent } from "../data.js";
import { bindNumber } from "../fields.js";
import { chapter } from "../frame.js";
import { heat } from "../heat.js";
import { MAX_LENGTH, pick, tempered } from "../models.js";
import { inTrain } from "../names.js";
import { generator } from "../random.js";
import { state, subscribe, update } from "../store.js";

const PAUSE = 1100; // milliseconds between two steps of "Play"
const KEPT = 12; // finished names shown

const label = (id) => (id ? glyph(id) : "the end");

/** A walk: names sampled from a model, with one random number per character. */
class Walk {
  constructor(name, temperature, seed) {
    Object.assign(this, { model: models.get(name), temperature, random: generator(seed), names: [] });
    this.start();
  }

  start() {
    Object.assign(this, { tokens: [], chosen: [], u: null, token: null, ended: false });
    this.look(this.model.begin(), 0);
  }

  look(before, token) {
    const [probs, after] = this.model.advance(before, token);
    Object.assign(this, { probs: tempered(probs, this.temperature), after });
  }

  /** Draw a number if none is drawn; else go on to the next row, or to the next name after an end. */
  step() {
    if (this.ended) this.start();
    else if (this.token !== null) {
      const token = this.token;
      Object.assign(this, { u: null, token: null });
      this.tokens.push(token);
      this.look(this.after, token);
    } else {
      this.u = this.random();
      this.token = pick(this.probs, this.u);
      this.chosen.push(this.probs[this.token]);
      this.ended = this.token === 0 || this.tokens.length + 1 === MAX_LENGTH;
      if (!this.ended) return;
      const tokens = this.token ? [...this.tokens, this.token] : this.tokens;
      this.names.push(spell(tokens) + (this.token ? "…" : ""));
    }
  }

  /** Where the token's share begins on the bar. */
  from(token) {
    return this.probs.slice(0, token).reduce((sum, p) => sum + p, 0);
  }
}

function drawBar(walk, name) {
  const after = walk.tokens.length ? `after “${spell(walk.tokens)}”` : "at the start of a name";
  at("sampling-title").textContent = `Probabilities of ${name} ${after}`;
  const likely = [...walk.probs.keys()].sort((a, b) => walk.probs[b] - walk.probs[a]).slice(0, 5);
  chart(at("sampling-bar"), {
    title: `Cumulative probabilities ${after}`,
    description: `The widest: ${likely.map((id) => `${label(id)} ${percent(walk.probs[id])}`).join(", ")}. ${told(walk)}`,
    height: 118,
    draw: (width) => {
      const [top, tall] = [38, 46];
      const toX = (p) => p * width;
      const [shapes, points] = [[], []];
      let from = 0;
      for (const [id, p] of walk.probs.entries()) {
        const size = toX(p);
        const picked = id === walk.token;
        if (size > 0.05 || picked) {
          const kind = picked ? "segment picked" : `segment ${id % 2 ? "odd" : ""}`;
          const pair = `${walk.tokens.at(-1) ?? 0},${id}`;
          shapes.push(
            svg("rect", { class: kind, x: toX(from), y: top, width: Math.max(size, picked ? 2 : 0), height: tall }),
          );
          if (size > 13) {
            const text = { class: picked ? "glyph picked-text" : "glyph", "text-anchor": "middle" };
            shapes.push(svg("text", { ...text, x: toX(from + p / 2), y: top + 28 }, glyph(id)));
          }
          const range = `${number(from, 3)} to ${number(from + p, 3)}`;
          points.push([toX(from + p / 2), top + tall / 2, `${label(id)}: ${percent(p)}, from ${range}`, { pair }]);
        }
        from += p;
      }
      for (const value of [0, 0.25, 0.5, 0.75, 1]) {
        const anchor = value === 0 ? "start" : value === 1 ? "end" : "middle";
        shapes.push(svg("text", { x: toX(value), y: top + tall + 18, "text-anchor": anchor }, String(value)));
      }
      if (walk.u !== null) {
        const x = toX(walk.u);
        const anchor = walk.u < 0.12 ? "start" : walk.u > 0.88 ? "end" : "middle";
        shapes.push(svg("line", { class: "pin", x1: x, x2: x, y1: 20, y2: top + tall + 4 }));
        shapes.push(svg("path", { class: "pin-head", d: `M${x - 5} 18 H${x + 5} L${x} 26 Z` }));
        shapes.push(svg("text", { class: "strong", x, y: 12, "text-anchor": anchor }, `u = ${number(walk.u, 4)}`));
      }
      return { shapes, points };
    },
  });
}

/** What the last step did, in words. */
function told(walk) {
  if (walk.u === null) {
    const row = walk.tokens.length ? `the row of ${label(walk.tokens.at(-1))}` : "the row of the boundary";
    return `This is ${row}. The next step draws a random number.`;
  }
  const from = walk.from(walk.token);
  const range = `${number(from, 4)} to ${number(from + walk.probs[walk.token], 4)}`;
  const chosen = `u = ${number(walk.u, 4)} falls on ${label(walk.token)}, which covers ${range}.`;
  if (!walk.ended) return `${chosen} So ${label(walk.token)} is the next character.`;
  const name = walk.names.at(-1);
  const known = inTrain(name);
  const news = known === null ? "" : known ? " It is in train." : " It is new: not in train.";
  return `${chosen} The name is “${name}”.${news}`;
}

function drawWalk(walk) {
  const { shown } = data.bigrams;
  const place = new Map(shown.map((id, i) => [id, i]));
  const visited = [...walk.tokens, ...(walk.token === null ? [] : [walk.token])];
  const pairs = visited.map((token, i) => [visited[i - 1] ?? 0, token]);
  const inside = pairs.map((pair) => pair.map((id) => place.get(id))).filter((pair) => !pair.includes(undefined));
  const row = place.get(walk.token ?? walk.tokens.at(-1) ?? 0);
  const container = at("sampling-walk");
  const words = visited.length
    ? `The walk so far: ${[0, ...visited].map(glyph).join(" ")}.`
    : "The walk has not begun.";
  chart(container, {
    title: "The walk through the bigram matrix",
    description: words,
    height: (width) => width,
    flat: false,
    rest: words,
    draw: (width) => {
      const { drawn, margin, size } = heat(width, { labels: 11 });
      const middle = (i) => margin + (i + 0.5) * size;
      const box = ([i, j], kind) =>
        svg("rect", { class: kind, x: margin + j * size, y: margin + i * size, width: size, height: size, rx: 2 });
      const trail = inside.map(([i, j]) => [middle(j), middle(i)]);
      if (row !== undefined && !walk.ended) {
        const bounds = { x: margin, y: margin + row * size, width: size * shown.length, height: size };
        drawn.push(svg("rect", { class: "walk-row", ...bounds }));
      }
      drawn.push(svg("path", { class: "trail", d: path(trail) }), ...inside.map((pair) => box(pair, "visited")));
      // the cells of the walk, then those of the next row
      const next = row === undefined ? [] : shown.map((_, j) => [row, j]);
      const points = [...inside, ...next].map(([i, j]) => {
        const count = data.bigrams.counts[i][j].toLocaleString("en");
        const text = `${glyph(shown[i])} then ${label(shown[j])}: ${count} times in train`;
        return [middle(j), middle(i), text, { pair: [shown[i], shown[j]] }];
      });
      return { shapes: drawn, points };
    },
  });
}

chapter("sampling", () => {
  const choice = at("sampling-model");
  choice.append(...models.names.map((name) => element("option", { value: name }, name)));
  const counted = models.names.find((name) => {
    const { family, config } = models.source(name);
    return family === "ngram" && config.order === 2 && !config.position;
  });
  choice.value = counted ?? models.names[0];
  bindNumber(at("sampling-seed"), "seed");

  let walk = null;
  let timer = 0;
  const draw = () => {
    drawBar(walk, choice.value);
    drawWalk(walk);
    const visited = walk.token === null ? walk.tokens : [...walk.tokens, walk.token];
    const shown = cells(walk.chosen, visited, "The name so far");
    shown.prepend(startCell());
    at("sampling-name").replaceChildren(shown);
    at("sampling-said").textContent = told(walk);
    const names = walk.names.slice(-KEPT).map((name) => element("li", {}, element("bdi", {}, name)));
    at("sampling-names").replaceChildren(...names);
    at("sampling-step").textContent = walk.ended ? "Next name" : walk.u === null ? "Draw u" : "Next row";
  };
  const play = (on) => {
    clearInterval(timer);
    if (on) timer = setInterval(step, PAUSE);
    at("sampling-play").textContent = on ? "Pause" : "Play";
  };
  const step = () => {
    walk.step();
    draw();
  };
  const restart = () => {
    walk = new Walk(choice.value, state.temperature, state.seed);
    draw();
  };
  at("sampling-step").addEventListener("click", () => {
    play(false);
    step();
  });
  at("sampling-play").addEventListener("click", () => play(at("sampling-play").textContent === "Play"));
  at("sampling-replay").addEventListener("click", restart);
  at("sampling-seeded").addEventListener("click", () => update({ seed: state.seed + 1 }));
  choice.addEventListener("input", restart);
  subscribe(["seed", "temperature"], restart);
});
