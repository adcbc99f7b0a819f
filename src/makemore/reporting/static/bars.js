// One bar for each token: probabilities and logits.

import { axes, chart, extent, svg, ticks } from "./charts.js";
import { glyph, percent } from "./data.js";

const MOST = 40; // bars

/** What to call a token that may come next. */
export const label = (id) => (id ? glyph(id) : "end");

/** The most likely tokens, the most likely first. */
export const ranked = (probs, tokens = [...probs.keys()]) =>
  [...tokens].sort((a, b) => probs[b] - probs[a]).slice(0, MOST);

/** The five most likely tokens in words. */
export const likeliest = (probs, tokens) =>
  ranked(probs, tokens)
    .slice(0, 5)
    .map((id) => `${label(id)} ${percent(probs[id])}`)
    .join(", ");

/**
 * Draw one bar for each token.
 *
 * Args:
 *   tokens: the tokens to show, in any order.
 *   before: the token before them; each bar selects the pair of the two.
 *   values, text: the height of a token's bar, and its readout.
 *   levels: heights that a line marks, for comparison. Optional.
 *   kind: the class of a bar, from its value.
 */
export function bars(container, { tokens, before, values, text, levels, yLabel, kind = () => "bar", ...options }) {
  const shown = [...tokens].sort((a, b) => a - b);
  const [low, high] = extent([...shown.map((id) => values[id]), ...(levels ? shown.map((id) => levels[id]) : [])]);
  const y = [Math.min(0, low), Math.max(0, high)];
  chart(container, {
    ...options,
    draw: (width, height) => {
      const { toY, drawn, left, right } = axes(width, height, [0, 1], y, {
        xTicks: [],
        yTicks: ticks(y, 4),
        yLabel,
        bottom: 24,
      });
      const room = (right - left) / shown.length;
      const points = shown.map((id, i) => {
        const [x, size, pair] = [left + (i + 0.12) * room, room * 0.76, `${before},${id}`];
        const [end, zero] = [toY(values[id]), toY(0)];
        const box = { x, width: size, y: Math.min(end, zero), height: Math.abs(end - zero) };
        drawn.push(svg("rect", { class: kind(values[id]), ...box, "data-pair": pair }));
        if (levels) {
          const level = { x1: x - 1, x2: x + size + 1, y1: toY(levels[id]), y2: toY(levels[id]) };
          drawn.push(svg("line", { class: "halo", ...level }), svg("line", { class: "level", ...level }));
        }
        const letter = { class: "glyph", x: x + size / 2, y: height - 6, "text-anchor": "middle" };
        drawn.push(svg("text", letter, glyph(id)));
        return [x + size / 2, end, text(id), { pair }];
      });
      return { shapes: drawn, points };
    },
  });
}
