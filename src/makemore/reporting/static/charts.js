// What the charts share: inline SVG with the colours of page.css. Each has a title, a text alternative and a table.

/** Create an HTML element. Text is never parsed as HTML. */
export function element(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

export function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export const number = (value, digits = 4) =>
  value === null ? "–" : Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : "∞";
export const short = (value) => String(Number(value.toPrecision(3)));

const drawn = new WeakMap(); // container -> its chart

/**
 * Draw a chart as wide as its container, and redraw it on resize.
 *
 * `draw(width, height)` returns the children of the SVG, or `{ shapes, points }`. Points, `[x, y, text, attributes]`,
 * make a readout: the text of the nearest one is shown under the chart while the pointer is there or the arrow keys
 * move. Their attributes are optional; `{ token }` or `{ pair }` selects a character everywhere, see linked.js.
 *
 * Args:
 *   rest: the readout before anything is pointed at.
 *   flat: whether the nearest point is looked for along x first, as suits lines and bars.
 */
export function chart(container, { title, description, height, draw, rest = READ, flat = true }) {
  const known = drawn.get(container);
  const current = known ?? { width: 0, points: [], chosen: -1, line: null };
  Object.assign(current, { rest, flat, title });
  current.redraw = () => {
    current.width = Math.round(container.clientWidth);
    if (!current.width) return;
    const tall = typeof height === "function" ? height(current.width) : height;
    const text = `${title}. ${description}`;
    const size = { viewBox: `0 0 ${current.width} ${tall}`, height: tall };
    const picture = svg("svg", { ...size, role: "img", "aria-label": text });
    const made = draw(current.width, tall);
    picture.append(svg("title", {}, title), svg("desc", {}, description), ...(made.shapes ?? made));
    container.querySelector("svg")?.remove();
    container.prepend(picture);
    current.points = made.points ?? [];
    if (current.points.length && !current.line) addReadout(container, current);
    if (current.line && current.drawn === title && current.chosen in current.points) return current.mark();
    current.drawn = title;
    current.chosen = -1;
    if (current.line) build(current.line, { class: "readout" }, []).textContent = current.rest;
    if (current.line) container.setAttribute("aria-label", `${title}: read with the arrow keys`);
  };
  if (!known) {
    drawn.set(container, current);
    new ResizeObserver(() => Math.round(container.clientWidth) !== current.width && current.redraw()).observe(
      container,
    );
  }
  current.redraw();
}

const READ = "Point at the chart or touch it to read it.";

/** Show the text of the point nearest to the pointer, and step through the points with the arrow keys. */
function addReadout(container, current) {
  current.line = element("p", { class: "readout", "aria-live": "polite" });
  container.querySelector("svg").after(current.line);
  build(container, { tabindex: 0, role: "group" }, []);
  current.mark = () => {
    const [cx, cy, text] = current.points[current.chosen];
    build(current.line, { class: "readout read" }, []).textContent = text;
    container.querySelector(".probe")?.remove();
    container.querySelector("svg").append(svg("circle", { class: "probe", cx, cy, r: 5 }));
  };
  const show = (i) => {
    current.chosen = Math.min(current.points.length - 1, Math.max(0, i));
    current.mark();
    const attributes = current.points[current.chosen][3];
    if (attributes) container.dispatchEvent(new CustomEvent("read", { bubbles: true, detail: attributes }));
  };
  const point = (event) => {
    const picture = container.querySelector("svg");
    if (!current.points.length || !picture.contains(event.target)) return;
    const box = picture.getBoundingClientRect();
    const factor = current.width / box.width;
    const [x, y] = [(event.clientX - box.left) * factor, (event.clientY - box.top) * factor];
    const across = current.flat ? 0.0625 : 1;
    let [best, nearest] = [Infinity, 0];
    for (const [i, [a, b]] of current.points.entries()) {
      const distance = (a - x) ** 2 + across * (b - y) ** 2;
      if (distance < best) [best, nearest] = [distance, i];
    }
    if (nearest !== current.chosen) show(nearest);
  };
  container.addEventListener("pointermove", point);
  container.addEventListener("pointerdown", point);
  container.addEventListener("keydown", (event) => {
    if (event.target !== container) return;
    const last = current.points.length - 1;
    const next = { ArrowRight: current.chosen + 1, ArrowLeft: current.chosen - 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    show(next);
  });
}

/** Add a collapsed table with the numbers of a chart. It is filled when it is opened. */
export function numbers(container, name, header, rows) {
  const details = element(
    "details",
    { class: "numbers" },
    element("summary", {}, "Numbers", element("span", { class: "said" }, `: ${name}`)),
  );
  details.addEventListener("toggle", () => {
    if (details.children.length > 1) return;
    const head = element("tr", {}, ...header.map((text) => element("th", { scope: "col" }, text)));
    const body = rows().map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, String(cell)))));
    const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
    details.append(element("section", { class: "scroll", tabindex: 0, "aria-label": `Numbers: ${name}` }, table));
  });
  container.append(details);
}

export const scale =
  ([from, to], [start, end]) =>
  (value) =>
    start + ((value - from) / (to - from || 1)) * (end - start);

/** About `count` round numbers between two bounds. */
export function ticks([from, to], count) {
  const rough = (to - from) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const result = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + 1e-9; i++)
    result.push(Number((i * step).toPrecision(12)));
  return result;
}

export function extent(values) {
  const finite = values.filter((value) => value !== null && Number.isFinite(value));
  return finite.length ? [Math.min(...finite), Math.max(...finite)] : [0, 1];
}

export const path = (points) =>
  points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("") || "M0 0";

/** Axes with horizontal grid lines: returns the two scales, the SVG elements and the edges of the plot. */
export function axes(
  width,
  height,
  x,
  y,
  { xTicks, yTicks, xLabel, yLabel, title, xFormat = short, left = 36, bottom = 40 },
) {
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
    drawn.push(
      svg("line", { class: "axis", x1: toX(value), x2: toX(value), y1: height - bottom, y2: height - bottom + 4 }),
    );
    drawn.push(svg("text", { x: toX(value), y: height - bottom + 18, "text-anchor": "middle" }, label));
  }
  drawn.push(svg("line", { class: "axis", x1: left, x2: right, y1: height - bottom, y2: height - bottom }));
  if (xLabel) drawn.push(svg("text", { x: right, y: height - 4, "text-anchor": "end" }, xLabel));
  const fits = Math.floor(width / 8); // characters that fit
  const heading = title?.length > fits ? `${title.slice(0, fits)}…` : title;
  drawn.push(svg("text", { class: title ? "strong" : "", x: 0, y: 12 }, heading ?? yLabel));
  return { toX, toY, drawn, left, right, top };
}
