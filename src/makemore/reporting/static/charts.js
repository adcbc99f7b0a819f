// The charts: inline SVG with the colours of page.css. Each has a title, a text alternative and, where useful, a table.
"use strict";

/** Create an HTML element. Text is never parsed as HTML. */
function element(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const number = (value, digits = 4) => (value === null ? "–" : Number.isFinite(value) ? value.toFixed(digits) : "∞");
const short = (value) => String(Number(value.toPrecision(3)));

/** Draw a chart as wide as its container, and redraw it on resize. `draw` returns the children of the SVG. */
function chart(container, { title, description, height, draw }) {
  let previous = 0;
  const redraw = () => {
    const width = Math.round(container.clientWidth);
    if (!width || width === previous) return;
    previous = width;
    const tall = typeof height === "function" ? height(width) : height;
    const text = `${title}. ${description}`;
    const drawn = svg("svg", { viewBox: `0 0 ${width} ${tall}`, height: tall, role: "img", "aria-label": text });
    drawn.append(svg("title", {}, title), svg("desc", {}, description), ...draw(width, tall));
    container.querySelector("svg")?.remove();
    container.prepend(drawn);
  };
  new ResizeObserver(redraw).observe(container);
  redraw();
}

/** Add a collapsed table with the numbers of a chart. It is filled when it is opened. */
function numbers(container, header, rows) {
  const details = element("details", {}, element("summary", {}, "Numbers"));
  details.addEventListener("toggle", () => {
    if (details.children.length > 1) return;
    const head = element("tr", {}, ...header.map((text) => element("th", { scope: "col" }, text)));
    const body = rows().map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, String(cell)))));
    const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
    details.append(element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Numbers" }, table));
  });
  container.append(details);
}

const scale = ([from, to], [start, end]) => (value) => start + ((value - from) / (to - from || 1)) * (end - start);

/** About `count` round numbers between two bounds. */
function ticks([from, to], count) {
  const rough = (to - from) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const result = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + 1e-9; i++) result.push(Number((i * step).toPrecision(12)));
  return result;
}

function extent(values) {
  const finite = values.filter((value) => value !== null && Number.isFinite(value));
  return finite.length ? [Math.min(...finite), Math.max(...finite)] : [0, 1];
}

const path = (points) =>
  points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("") || "M0 0";

/** Axes with horizontal grid lines: returns the two scales, the SVG elements and the edges of the plot. */
function axes(width, height, x, y, { xTicks, yTicks, xLabel, yLabel, title, xFormat = short, left = 36, bottom = 40 }) {
  const [right, top] = [width - 10, 26];
  const toX = scale(x, [left, right]);
  const toY = scale(y, [height - bottom, top]);
  const drawn = [];
  for (const value of yTicks) {
    drawn.push(svg("line", { class: "grid", x1: left, x2: right, y1: toY(value), y2: toY(value) }));
    drawn.push(svg("text", { x: left - 8, y: toY(value) + 4, "text-anchor": "end" }, short(value)));
  }
  for (const value of xTicks) {
    const label = xFormat(value);
    drawn.push(svg("line", { class: "axis", x1: toX(value), x2: toX(value), y1: height - bottom, y2: height - bottom + 4 }));
    drawn.push(svg("text", { x: toX(value), y: height - bottom + 18, "text-anchor": "middle" }, label));
  }
  drawn.push(svg("line", { class: "axis", x1: left, x2: right, y1: height - bottom, y2: height - bottom }));
  if (xLabel) drawn.push(svg("text", { x: right, y: height - 4, "text-anchor": "end" }, xLabel));
  const fits = Math.floor(width / 8); // characters that fit
  const heading = title?.length > fits ? `${title.slice(0, fits)}…` : title;
  drawn.push(svg("text", { class: title ? "strong" : "", x: 0, y: 12 }, heading ?? yLabel));
  return { toX, toY, drawn, left, right, top };
}

/** One panel per network, all with the same loss scale. */
function drawCurves(container, curves, uniform) {
  const highest = Math.ceil(uniform * 2) / 2;
  const low = Math.floor(extent(Object.values(curves).flatMap(({ loss }) => loss))[0] * 2) / 2;
  const y = [Math.min(low, highest - 0.5), highest];
  for (const [name, { step, loss }] of Object.entries(curves)) {
    const panel = container.appendChild(element("div", { class: "chart" }));
    const [first, last] = [loss[0], loss[loss.length - 1]];
    chart(panel, {
      title: `Learning curve of ${name}`,
      description: `Training loss in nats per token falls from ${number(first, 2)} at step ${step[0]} to ${number(last, 2)} at step ${step.at(-1)}.`,
      height: (width) => Math.min(210, Math.max(150, width * 0.66)),
      draw: (width, height) => {
        const x = [0, step.at(-1)];
        const { toX, toY, drawn, left, right } = axes(width, height, x, y, {
          xTicks: ticks(x, width < 200 ? 2 : 3),
          yTicks: ticks(y, 4),
          title: name,
          bottom: 26,
          left: 28,
        });
        const points = step.map((x, i) => [x, loss[i]]).filter(([, value]) => value !== null);
        const shown = points.map(([x, value]) => [toX(x), toY(Math.min(value, highest))]);
        const end = shown.at(-1) ?? [0, 0];
        return [
          ...drawn,
          svg("line", { class: "uniform", x1: left, x2: right, y1: toY(uniform), y2: toY(uniform) }),
          svg("path", { class: "line", d: path(shown) }),
          svg("text", { class: "first-text", x: end[0], y: end[1] - 9, "text-anchor": "end" }, number(last, 2)),
        ];
      },
    });
  }
  numbers(container.parentElement, ["network", "step", "loss, nats per token"], () =>
    Object.entries(curves).flatMap(([name, { step, loss }]) =>
      step.map((x, i) => [name, x, number(loss[i], 3)]).filter((_, i) => i % 20 === 0 || i === step.length - 1),
    ),
  );
}

function drawRates(container, { lr, loss, good }) {
  const x = [Math.floor(10 * Math.log10(lr[0])) / 10, Math.log10(lr.at(-1))];
  const y = [0, Math.ceil(extent(loss)[1])];
  const range = `${short(good.lowest)} to ${short(good.highest)}`;
  chart(container, {
    title: "Loss by learning rate",
    description: `The loss in nats per token while the learning rate grows from ${short(lr[0])} to ${short(lr.at(-1))}. It is lowest near ${short(good.best)} and close to its minimum from ${range}.`,
    height: 280,
    draw: (width, height) => {
      const { toX, toY, drawn, top } = axes(width, height, x, y, {
        xTicks: ticks(x, 4).filter(Number.isInteger),
        yTicks: ticks(y, 5),
        xLabel: "learning rate",
        yLabel: "loss, nats per token",
        xFormat: (value) => short(10 ** value),
      });
      const [from, to] = [good.lowest, good.highest].map((rate) => toX(Math.log10(rate)));
      const points = lr.map((rate, i) => [rate, loss[i]]).filter(([, value]) => value !== null);
      return [
        ...drawn,
        svg("rect", { class: "band", x: from, y: top, width: Math.max(2, to - from), height: height - 40 - top }),
        svg("path", { class: "line", d: path(points.map(([rate, value]) => [toX(Math.log10(rate)), toY(value)])) }),
        svg("text", { class: "first-text", x: from - 6, y: top + 10, "text-anchor": "end" }, `${range}`),
      ];
    },
  });
  numbers(container.parentElement, ["learning rate", "loss, nats per token"], () =>
    lr.map((rate, i) => [short(rate), number(loss[i], 3)]).filter((_, i) => i % 10 === 0),
  );
}

function drawSmoothing(container, { strength, train, dev }) {
  const logarithms = strength.map(Math.log10);
  const x = extent(logarithms);
  const finite = extent([...train, ...dev]);
  const y = [Math.floor(finite[0] * 20) / 20, Math.ceil(finite[1] * 20) / 20];
  const best = dev.indexOf(extent(dev)[0]);
  chart(container, {
    title: "Loss by smoothing strength",
    description: `In nats per token. The train loss rises from ${number(train[0])} to ${number(train.at(-1))}. The dev loss has its minimum, ${number(dev[best] ?? null)}, at ${short(strength[best] ?? 0)}.`,
    height: 280,
    draw: (width, height) => {
      const { toX, toY, drawn } = axes(width, height, x, y, {
        xTicks: ticks(x, 4).filter(Number.isInteger),
        yTicks: ticks(y, 5),
        xLabel: "added to each count",
        yLabel: "loss, nats per token",
        xFormat: (value) => short(10 ** value),
      });
      const line = (losses) =>
        path(losses.map((loss, i) => [logarithms[i], loss]).filter(([, loss]) => loss !== null).map(([a, b]) => [toX(a), toY(b)]));
      const shown = [...drawn];
      for (const [name, losses, kind] of [["dev", dev, ""], ["train", train, "second"]]) {
        shown.push(svg("path", { class: `line ${kind}`, d: line(losses) }));
        if (losses[0] === null) continue;
        const label = { class: kind ? "second-text" : "first-text", x: toX(x[0]) + 6, y: toY(losses[0]) - 9 };
        shown.push(svg("text", label, name));
      }
      if (best >= 0) {
        const [cx, cy] = [toX(logarithms[best]), toY(dev[best])];
        const text = `${number(dev[best])} at ${short(strength[best])}`;
        shown.push(svg("circle", { class: "mark", cx, cy, r: 4.5 }));
        shown.push(svg("text", { class: "first-text", x: cx, y: cy - 26, "text-anchor": "middle" }, text));
      }
      return shown;
    },
  });
  numbers(container.parentElement, ["added to each count", "train", "dev"], () =>
    strength.map((value, i) => [short(value), number(train[i]), number(dev[i])]),
  );
}

function drawFirst(container, { edges, shares, of }, uniform) {
  const y = [0, Math.ceil(extent(Object.values(shares).flat())[1] * 10) / 10];
  for (const [name, share] of Object.entries(shares)) {
    const panel = container.appendChild(element("div", { class: "chart" }));
    const saturated = `${(100 * of[name].saturated).toFixed(0)} % beyond ±0.99`;
    const loss = `initial loss ${number(of[name].initial_loss, 2)}`;
    chart(panel, {
      title: `tanh activations before training: ${name}`,
      description: `${saturated}; ${loss} nats per token, where ln V is ${number(uniform, 2)}.`,
      height: 210,
      draw: (width, height) => {
        const { toX, toY, drawn } = axes(width, height, [-1, 1], y, {
          xTicks: [-1, -0.5, 0, 0.5, 1],
          yTicks: ticks(y, 4),
          yLabel: "share of activations",
          bottom: 26,
        });
        const bars = share.map((value, i) =>
          svg("rect", {
            class: "bar",
            x: toX(edges[i]) + 0.5,
            width: Math.max(1, toX(edges[i + 1]) - toX(edges[i]) - 1),
            y: toY(value),
            height: toY(0) - toY(value),
          }),
        );
        const middle = toX(0);
        return [
          ...drawn,
          ...bars,
          svg("text", { class: "strong", x: middle, y: 44, "text-anchor": "middle" }, name),
          svg("text", { x: middle, y: 61, "text-anchor": "middle" }, saturated),
          svg("text", { x: middle, y: 78, "text-anchor": "middle" }, loss),
        ];
      },
    });
  }
  numbers(container.parentElement, ["from", "to", ...Object.keys(shares)], () =>
    edges.slice(1).map((to, i) => [edges[i], to, ...Object.values(shares).map((share) => number(share[i], 3))]),
  );
}

function drawEmbedding(container, points) {
  const [x, y] = [extent(points.map((point) => point[1])), extent(points.map((point) => point[2]))];
  const nearest = ([, a, b], i) =>
    points
      .map(([character, c, d], j) => [character, j === i ? Infinity : Math.hypot(a - c, b - d)])
      .sort((one, other) => one[1] - other[1])[0]?.[0] ?? "";
  chart(container, {
    title: "Character embeddings",
    description: `${points.length} characters as points; the table below lists their coordinates. ${points
      .slice(0, 8)
      .map((point, i) => `${visible(point[0])} is closest to ${visible(nearest(point, i))}`)
      .join(", ")}.`,
    height: (width) => Math.min(640, Math.max(280, 40 + ((width - 40) * (y[1] - y[0])) / (x[1] - x[0] || 1))),
    draw: (width, height) => {
      // the same scale on both axes, so that distances can be compared
      const unit = Math.min((width - 40) / (x[1] - x[0] || 1), (height - 40) / (y[1] - y[0] || 1));
      const toX = (value) => width / 2 + (value - (x[0] + x[1]) / 2) * unit;
      const toY = (value) => height / 2 - (value - (y[0] + y[1]) / 2) * unit;
      const drawn = [
        svg("line", { class: "grid", x1: toX(0), x2: toX(0), y1: 0, y2: height }),
        svg("line", { class: "grid", x1: 0, x2: width, y1: toY(0), y2: toY(0) }),
      ];
      for (const [character, a, b] of points) {
        drawn.push(svg("circle", { class: "band", cx: toX(a), cy: toY(b), r: width < 500 ? 9 : 13 }));
        drawn.push(svg("text", { class: "glyph", x: toX(a), y: toY(b) + 4, "text-anchor": "middle" }, visible(character)));
      }
      return drawn;
    },
  });
  numbers(container.parentElement, ["character", "x", "y", "nearest"], () =>
    points.map((point, i) => [visible(point[0]), number(point[1], 3), number(point[2], 3), visible(nearest(point, i))]),
  );
}

/** A visible form of a character: a symbol for white space, and a base for combining marks. */
function visible(character) {
  if (/\s/u.test(character)) return "␣";
  return /^\p{M}/u.test(character) ? `◌${character}` : character;
}
