// The interactive parts of the page: models that score and complete typed names, and the bigram matrix.
"use strict";

const MAX_LENGTH = 50; // generated names are cut off after this many characters
const GENERATED = 10; // names per click
const BARS = 40; // maximum number of next characters shown

const data = JSON.parse(document.getElementById("data").textContent);
const V = data.itos.length;
const stoi = new Map(data.itos.map((character, id) => [character, id]));
const boundary = visible(data.itos[0]);
const models = new Map(data.live.map((model) => [model.name, load(model, V)]));
const at = (id) => document.getElementById(id);
const percent = (p) => (p === 0 ? "0 %" : p < 0.0001 ? "<0.01 %" : `${(100 * p).toPrecision(p < 0.001 ? 1 : p < 0.1 ? 2 : 3)} %`);
const probability = (p) => (p > 0.0995 ? `${(100 * p).toFixed(0)} %` : percent(p));

/** Encode typed text by code point. `unknown` is the first character outside the vocabulary, if any. */
function encode(text) {
  const characters = [...text.normalize("NFC").trim()];
  const unknown = characters.find((character) => !stoi.get(character)); // the boundary, id 0, cannot be typed either
  return { characters, unknown, tokens: characters.map((character) => stoi.get(character)) };
}

function complaint(unknown) {
  if (unknown === undefined) return "";
  const other = [unknown.toLowerCase(), unknown.toUpperCase()].find((character) => stoi.get(character));
  return `“${unknown}” is not among the ${V - 1} characters of the list${other ? `, “${other}” is` : ""}.`;
}

/** Mean negative log-likelihood in nats per predicted token, end included. */
const meanNll = (probs) => probs.reduce((sum, p) => sum - Math.log(p), 0) / probs.length;

function perplexity(nll) {
  const value = Math.exp(nll);
  if (value < 1000 || value === Infinity) return number(value, 2);
  return value < 1e6 ? Math.round(value).toLocaleString("en") : value.toExponential(1).replace("+", "");
}

// Scoring

let saying = 0;

function showScores() {
  const { characters, unknown, tokens } = encode(at("name").value);
  at("name-error").textContent = complaint(unknown);
  if (unknown !== undefined) {
    at("scores").replaceChildren();
    at("scores-said").textContent = "";
    return;
  }
  const scores = [...models].map(([name, model]) => {
    const { probs } = score(model, tokens);
    return { name, probs, nll: meanNll(probs) };
  });
  at("scores").replaceChildren(...scores.map((scored) => scoredRow(scored, [...characters, null])));
  clearTimeout(saying); // announce the result to screen readers only when typing pauses
  const best = scores.reduce((a, b) => (b.nll < a.nll ? b : a));
  saying = setTimeout(() => {
    at("scores-said").textContent =
      `“${characters.join("")}” has its lowest loss under ${best.name}: ${number(best.nll, 3)} nats per token, perplexity ${perplexity(best.nll)}.`;
  }, 600);
}

function scoredRow({ name, probs, nll }, characters) {
  const cells = probs.map((p, i) => {
    const ratio = Math.log(p * V) / Math.log(V); // 0: as likely as under a uniform distribution; 1: certain
    const style = `--shade: var(--${ratio < 0 ? "warm" : "cool"}-shade); --k: ${Math.min(1, Math.abs(ratio)).toFixed(3)}`;
    const shown = characters[i] === null ? "end" : visible(characters[i]);
    const glyph = element("b", {}, characters[i] === null ? boundary : shown);
    const label = element("li", { style, title: `${shown}: ${percent(p)}` }, glyph, element("span", {}, probability(p)));
    if (characters[i] === null) label.setAttribute("aria-label", `end of the name ${percent(p)}`);
    return label;
  });
  const figure = (term, value) => element("div", {}, element("dt", {}, term), element("dd", {}, value));
  return element(
    "div",
    { class: "scored", "data-model": name },
    element("h3", {}, name),
    element("ol", { dir: "auto", "aria-label": `${name}: probability of each character` }, ...cells),
    element("dl", {}, figure("nats per token", number(nll, 3)), figure("perplexity", perplexity(nll))),
  );
}

// Generation

function chosen() {
  const { characters, unknown, tokens } = encode(at("prefix").value);
  at("prefix-error").textContent = complaint(unknown);
  return { characters, unknown, tokens, model: models.get(at("model").value), temperature: Number(at("temperature").value) };
}

function makeNames() {
  const { characters, unknown, tokens, model, temperature } = chosen();
  if (unknown !== undefined) {
    at("made").replaceChildren();
    return;
  }
  const lines = Array.from({ length: GENERATED }, () => {
    const { generated, ended } = finish(model, tokens, temperature, MAX_LENGTH);
    const rest = generated.map((token) => data.itos[token]).join("") + (ended ? "" : "…");
    const nll = meanNll(score(model, [...tokens, ...generated]).probs);
    const name = element("b", { dir: "auto" }, element("span", {}, characters.join("")), rest);
    return element("li", {}, name, element("small", {}, number(nll, 2)));
  });
  at("made").replaceChildren(...lines);
  at("made").classList.remove("old");
}

function showNext() {
  const { characters, unknown, tokens, model, temperature } = chosen();
  at("temperature-value").textContent = temperature.toFixed(1);
  at("next").replaceChildren();
  if (unknown !== undefined) return;
  const plain = score(model, tokens).distributions.at(-1);
  const probs = tempered(plain, temperature);
  const ranked = [...plain.keys()].sort((a, b) => plain[b] - plain[a]);
  const shown = ranked.slice(0, BARS).sort((a, b) => a - b);
  const label = (id) => (id ? visible(data.itos[id]) : "end");
  const after = characters.length ? `after “${characters.join("")}”` : "at the start";
  at("next-title").textContent = `Next character ${after}, ${at("model").value}`;
  chart(at("next"), {
    title: `Probability of the next character ${after}`,
    description: `Most likely at temperature ${temperature.toFixed(1)}: ${ranked
      .slice(0, 5)
      .map((id) => `${label(id)} ${percent(probs[id])}`)
      .join(", ")}.`,
    height: 250,
    draw: (width, height) => {
      const most = Math.max(...shown.map((id) => Math.max(plain[id], probs[id])));
      const y = [0, most];
      const { toY, drawn, left, right } = axes(width, height, [0, 1], y, {
        xTicks: [],
        yTicks: ticks(y, 4),
        yLabel: "probability",
        bottom: 24,
      });
      const room = (right - left) / shown.length;
      for (const [i, id] of shown.entries()) {
        const [x, size] = [left + i * room + room * 0.12, room * 0.76];
        const top = (p) => ({ x, width: size, y: toY(p), height: toY(0) - toY(p) });
        drawn.push(svg("rect", { class: "bar", ...top(probs[id]) }, svg("title", {}, `${label(id)}: ${percent(probs[id])}`)));
        drawn.push(svg("rect", { class: "outline", ...top(plain[id]) }));
        const glyph = { class: "glyph", x: x + size / 2, y: height - 6, "text-anchor": "middle" };
        drawn.push(svg("text", glyph, id ? visible(data.itos[id]) : boundary));
      }
      return drawn;
    },
  });
}

// Bigrams

function drawMatrix() {
  const { shown, counts, totals, ranks } = data.bigrams;
  const S = shown.length;
  const glyph = (i) => (shown[i] ? visible(data.itos[shown[i]]) : boundary);
  const say = (i) => (shown[i] ? visible(data.itos[shown[i]]) : "the boundary");
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
    for (const [name, model] of models) {
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
      element("strong", {}, glyph(i) + glyph(j)),
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
        drawn.push(svg("text", { class: "glyph", style, x: margin / 2, y: middle + font / 3, "text-anchor": "middle" }, glyph(i)));
        drawn.push(svg("text", { class: "glyph", style, x: middle, y: margin * 0.7, "text-anchor": "middle" }, glyph(i)));
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
    const [i, j] = [event.clientY - box.top, event.clientX - box.left].map((offset) => Math.floor((offset - margin) / size));
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

// Light and dark

const preference = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (preference.matches ? "dark" : "light")) === "dark";
const nameTheme = () => (at("theme").textContent = isDark() ? "Light" : "Dark");
preference.addEventListener("change", nameTheme);
at("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
nameTheme();

// Current section in the navigation

const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      links.get(target.id)?.[isIntersecting ? "setAttribute" : "removeAttribute"]("aria-current", "true");
    }
  },
  { rootMargin: "-20% 0px -75% 0px" },
);
for (const section of document.querySelectorAll("main > section")) observer.observe(section);

// Initialization

at("model").append(...[...models.keys()].map((name) => element("option", { value: name }, name)));
at("model").value = data.live.at(-1).name;
at("name").addEventListener("input", showScores);
for (const id of ["prefix", "model", "temperature"]) {
  at(id).addEventListener("input", () => {
    showNext();
    at("made").classList.add("old"); // outdated until the button is pressed
  });
}
at("maker").addEventListener("submit", (event) => {
  event.preventDefault();
  makeNames();
});
showScores();
showNext();
makeNames();
drawMatrix();

const uniform = Math.log(V);
const draw = { curves: drawCurves, rates: drawRates, smoothing: drawSmoothing, first: drawFirst, embedding: drawEmbedding };
for (const container of document.querySelectorAll("[data-chart]")) {
  draw[container.dataset.chart](container, data[container.dataset.chart], uniform);
}

// Used by the tests
window.makemore = { models, encode, score, tempered, finish, names: [...models.keys()] };
