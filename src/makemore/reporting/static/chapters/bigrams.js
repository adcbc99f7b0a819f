// The matrix of bigram counts.

import { build, chart, element, numbers, svg } from "../charts.js";
import { at, data, glyph, models, percent, V } from "../data.js";
import { chapter } from "../frame.js";
import { heat } from "../heat.js";
import { subscribe, update } from "../store.js";

const { shown, counts, totals, ranks } = data.bigrams;
const S = shown.length;
const place = new Map(shown.map((id, i) => [id, i]));
const say = (i) => (shown[i] ? glyph(shown[i]) : "the boundary");

/** What is known of a pair: its count, its share of the row, and its probability in the models that see one character. */
function describe(i, j) {
  const count = counts[i][j];
  const share = totals[i] ? count / totals[i] : 0;
  const term = (name, value) => [element("dt", {}, name), element("dd", {}, value)];
  const lines = [
    ...term("count", `${count.toLocaleString("en")} of ${totals[i].toLocaleString("en")}`),
    ...term("share of the row", percent(share)),
    ...term(`rank of ${V.toLocaleString("en")}`, count ? String(ranks[i][j]) : "–"),
  ];
  for (const name of models.names) {
    const { family, config } = models.source(name);
    if (!(family === "neural_bigram" || (family === "ngram" && config.order === 2 && !config.position))) continue;
    const model = models.get(name);
    let [probs, before] = model.advance(model.begin(), 0);
    if (shown[i]) [probs] = model.advance(before, shown[i]);
    lines.push(...term(`p in ${name}`, percent(probs[shown[j]])));
  }
  const next = counts[i].map((value, other) => [value, other]).filter(([value]) => value);
  const follow = next
    .sort((a, b) => b[0] - a[0])
    .slice(0, 6)
    .flatMap(([, other], index) => [index ? ", " : "", element("bdi", {}, shown[other] ? say(other) : "the end")]);
  at("pair").replaceChildren(
    element("strong", {}, glyph(shown[i]) + glyph(shown[j])),
    element("dl", {}, ...lines),
    element("p", { class: "note" }, "Most frequent after ", element("bdi", {}, say(i)), ": ", ...follow, "."),
  );
}

function drawMatrix() {
  const container = at("matrix");
  const cursor = svg("rect", { class: "cursor", rx: 2 });
  const pairs = counts.flatMap((line, i) => line.map((count, j) => [count, i, j])).sort((a, b) => b[0] - a[0]);
  let [row, column, size, margin] = [0, 0, 0, 0];

  const move = () =>
    build(cursor, { x: margin + column * size, y: margin + row * size, width: size, height: size }, []);
  container.style.setProperty("--characters", S);
  chart(container, {
    title: "Bigram counts",
    description: `The most frequent pairs: ${pairs
      .slice(0, 5)
      .map(([count, i, j]) => `${say(i)} then ${say(j)} ${count}`)
      .join(", ")}.`,
    height: (width) => width,
    draw: (width) => {
      const { drawn, ...places } = heat(width, { counted: true });
      ({ margin, size } = places);
      move();
      return [...drawn, cursor];
    },
  });
  subscribe(["pair"], ({ pair }) => {
    const [i, j] = pair.map((id) => place.get(id));
    if (i === undefined || j === undefined) return; // a character that is too rare to be shown
    [row, column] = [i, j];
    move();
    describe(i, j);
  });

  const select = (i, j) => update({ pair: [shown[i], shown[j]] });
  const point = (event) => {
    const box = container.querySelector("svg").getBoundingClientRect();
    const offsets = [event.clientY - box.top, event.clientX - box.left];
    const [i, j] = offsets.map((offset) => Math.floor((offset - margin) / size));
    if (i >= 0 && j >= 0 && i < S && j < S) select(i, j);
  };
  container.addEventListener("pointermove", point);
  container.addEventListener("pointerdown", point);
  const last = S - 1;
  const keys = {
    ArrowUp: () => [row - 1, column],
    ArrowDown: () => [row + 1, column],
    ArrowLeft: () => [row, column - 1],
    ArrowRight: () => [row, column + 1],
    Home: (all) => [all ? 0 : row, 0],
    End: (all) => [all ? last : row, last],
    PageUp: () => [0, column],
    PageDown: () => [last, column],
  };
  const bounded = (i) => Math.min(last, Math.max(0, i));
  container.addEventListener("keydown", (event) => {
    const next = keys[event.key]?.(event.ctrlKey);
    if (!next) return;
    event.preventDefault();
    select(...next.map(bounded));
    const scroll = at("matrix-scroll"); // keep the cell in sight where the matrix is wider than the screen
    const x = margin + column * size;
    if (x < scroll.scrollLeft) scroll.scrollLeft = x - margin;
    else if (x + size > scroll.scrollLeft + scroll.clientWidth) scroll.scrollLeft = x + size - scroll.clientWidth;
  });
  numbers(container.closest("figure"), "Bigrams", ["first", "second", "count", "share of the row"], () =>
    pairs
      .slice(0, 60)
      .filter(([count]) => count)
      .map(([count, i, j]) => [say(i), say(j), count, percent(count / totals[i])]),
  );
}

chapter("bigrams", drawMatrix);
