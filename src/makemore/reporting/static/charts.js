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
  value === null ? "–" : Number.isFinite(value) ? value.toFixed(digits) : "∞";
export const short = (value) => String(Number(value.toPrecision(3)));

/**
 * Draw a chart as wide as its container, and redraw it on resize.
 *
 * `draw(width, height)` returns the children of the SVG, or `{ shapes, points }`. Points, `[x, y, text]`, make a
 * readout: the text of the nearest one is shown under the chart while the pointer is there or the arrow keys move.
 * Returns a function that draws again, for charts whose data change.
 */
export function chart(container, { title, description, height, draw }) {
  let [previous, points] = [0, []];
  const redraw = () => {
    const width = Math.round(container.clientWidth);
    if (!width) return;
    previous = width;
    const tall = typeof height === "function" ? height(width) : height;
    const text = `${title}. ${description}`;
    const drawn = svg("svg", { viewBox: `0 0 ${width} ${tall}`, height: tall, role: "img", "aria-label": text });
    const made = draw(width, tall);
    points = made.points ?? [];
    drawn.append(svg("title", {}, title), svg("desc", {}, description), ...(made.shapes ?? made));
    container.querySelector("svg")?.remove();
    container.prepend(drawn);
    if (points.length && !container.querySelector(".readout")) readout(container, title, () => points);
  };
  container.resizing?.disconnect();
  container.resizing = new ResizeObserver(() => Math.round(container.clientWidth) !== previous && redraw());
  container.resizing.observe(container);
  redraw();
  return redraw;
}

/** Show the text of the point nearest to the pointer, and step through the points with the arrow keys. */
function readout(container, title, points) {
  const line = container.appendChild(element("p", { class: "readout", "aria-live": "polite" }, "\u00a0"));
  build(container, { tabindex: 0, role: "group", "aria-label": `${title}: read with the arrow keys` }, []);
  let chosen = -1;
  const show = (i) => {
    chosen = Math.min(points().length - 1, Math.max(0, i));
    const [cx, cy, text] = points()[chosen];
    line.textContent = text;
    container.querySelector(".probe")?.remove();
    container.querySelector("svg").append(svg("circle", { class: "probe", cx, cy, r: 5 }));
  };
  const point = (event) => {
    const box = container.querySelector("svg").getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const distances = points().map(([a, b]) => (a - x) ** 2 + ((b - y) / 4) ** 2); // mostly along x
    if (y < box.height + 1) show(distances.indexOf(Math.min(...distances)));
  };
  container.addEventListener("pointermove", point);
  container.addEventListener("pointerdown", point);
  container.addEventListener("keydown", (event) => {
    const next = { ArrowRight: chosen + 1, ArrowLeft: chosen - 1, Home: 0, End: points().length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    show(next);
  });
}

/** Add a collapsed table with the numbers of a chart. It is filled when it is opened. */
export function numbers(container, header, rows) {
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
