// The matrix of bigram counts.

import { build, chart, element, numbers, svg } from "../charts.js";
import { at, data, glyph, models, percent, V } from "../data.js";
import { chapter } from "../frame.js";
import { subscribe, update } from "../store.js";

function drawMatrix() {
  const { shown, counts, totals, ranks } = data.bigrams;
  const S = shown.length;
  const say = (i) => (shown[i] ? glyph(shown[i]) : "the boundary");
  const most = Math.max(1, ...counts.flat());
  const cursor = svg("rect", { class: "cursor", rx: 2 });
  const container = at("matrix");
  let [row, column, size, margin] = [0, 0, 0, 0];
  const pairs = counts.flatMap((line, i) => line.map((count, j) => [count, i, j])).sort((a, b) => b[0] - a[0]);
  [, row, column] = pairs[0];

  const select = (i, j) => {
    [row, column] = [i, j];
    build(cursor, { x: margin + j * size, y: margin + i * size, width: size, height: size }, []);
    const count = counts[i][j];
    const term = (name, value) => [element("dt", {}, name), element("dd", {}, value)];
    const share = totals[i] ? count / totals[i] : 0;
    const lines = [...term("count", count.toLocaleString("en")), ...term("share of successors", percent(share))];
    lines.push(...term(`rank of ${V.toLocaleString("en")}`, count ? String(ranks[i][j]) : "–"));
    for (const name of models.names) {
      const model = models.get(name);
      if ((model.context ?? model.order - 1) !== 1 || model.position) continue;
      let [probs, state] = model.advance(model.begin(), 0);
      if (shown[i]) [probs, state] = model.advance(state, shown[i]);
      lines.push(...term(`P in ${name}`, percent(probs[shown[j]])));
    }
    const next = counts[i]
      .map((value, other) => [value, other])
      .filter(([value]) => value)
      .sort((a, b) => b[0] - a[0]);
    const follow = next
      .slice(0, 6)
      .flatMap(([, other], index) => [index ? ", " : "", element("bdi", {}, shown[other] ? say(other) : "the end")]);
    at("pair").replaceChildren(
      element("strong", {}, glyph(shown[i]) + glyph(shown[j])),
      element("dl", {}, ...lines),
      element("p", { class: "note" }, "Most frequent after ", element("bdi", {}, say(i)), ": ", ...follow),
    );
  };

  chart(container, {
    title: "Bigram counts",
    description: `The most frequent pairs: ${pairs
      .slice(0, 5)
      .map(([count, i, j]) => `${say(i)} then ${say(j)} ${count}`)
      .join(", ")}.`,
    height: (width) => width,
    draw: (width) => {
      margin = Math.min(20, width / (S + 1));
      size = (width - margin) / S;
      const drawn = [];
      const font = Math.min(13, size * 0.95);
      for (let i = 0; i < S; i++) {
        const middle = margin + (i + 0.5) * size;
        const style = `font-size: ${font}px`;
        drawn.push(
          svg(
            "text",
            { class: "glyph", style, x: margin / 2, y: middle + font / 3, "text-anchor": "middle" },
            glyph(shown[i]),
          ),
        );
        drawn.push(
          svg("text", { class: "glyph", style, x: middle, y: margin * 0.7, "text-anchor": "middle" }, glyph(shown[i])),
        );
        for (let j = 0; j < S; j++) {
          const [x, y] = [margin + j * size, margin + i * size];
          const style = `--k: ${Math.sqrt(counts[i][j] / most).toFixed(3)}`;
          drawn.push(svg("rect", { class: "cell", style, x, y, width: size - 0.5, height: size - 0.5 }));
          if (size < 22 || !counts[i][j]) continue;
          const text = { class: "tiny", x: x + size / 2, y: y + size / 2 + 3, "text-anchor": "middle" };
          drawn.push(svg("text", text, counts[i][j]));
        }
      }
      select(row, column);
      return [...drawn, cursor];
    },
  });

  const point = (event) => {
    const box = container.querySelector("svg").getBoundingClientRect();
    const [i, j] = [event.clientY - box.top, event.clientX - box.left].map((offset) =>
      Math.floor((offset - margin) / size),
    );
    if (i >= 0 && j >= 0 && i < S && j < S && (i !== row || j !== column)) select(i, j);
  };
  container.addEventListener("pointermove", point);
  container.addEventListener("pointerdown", point);
  container.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    select(Math.min(S - 1, Math.max(0, row + step[0])), Math.min(S - 1, Math.max(0, column + step[1])));
  });
  numbers(container.parentElement, ["first", "second", "count", "share of successors"], () =>
    pairs
      .slice(0, 60)
      .filter(([count]) => count)
      .map(([count, i, j]) => [say(i), say(j), count, percent(count / totals[i])]),
  );
}

chapter("bigrams", drawMatrix);
