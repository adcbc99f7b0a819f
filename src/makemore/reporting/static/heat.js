// The cells of the bigram matrix, shaded by their counts.

import { svg } from "./charts.js";
import { data, glyph } from "./data.js";

/** The cells and labels of the matrix, for a square of this width: SVG elements, and the place of a cell. */
export function heat(width, { labels = 13, counted = false } = {}) {
  const { shown, counts } = data.bigrams;
  const most = Math.max(1, ...counts.flat());
  const S = shown.length;
  const margin = Math.min(20, width / (S + 1));
  const size = (width - margin) / S;
  const font = Math.min(labels, size * 0.95);
  const drawn = [];
  for (let i = 0; i < S; i++) {
    const middle = margin + (i + 0.5) * size;
    const text = { class: "glyph", style: `font-size: ${font}px`, "text-anchor": "middle" };
    drawn.push(svg("text", { ...text, x: margin / 2, y: middle + font / 3 }, glyph(shown[i])));
    drawn.push(svg("text", { ...text, x: middle, y: margin * 0.7 }, glyph(shown[i])));
    for (let j = 0; j < S; j++) {
      const [x, y] = [margin + j * size, margin + i * size];
      const style = `--k: ${Math.sqrt(counts[i][j] / most).toFixed(3)}`;
      drawn.push(svg("rect", { class: "cell", style, x, y, width: size - 0.5, height: size - 0.5 }));
      if (!counted || size < 22 || !counts[i][j]) continue;
      const tiny = { class: "tiny", x: x + size / 2, y: y + size / 2 + 3, "text-anchor": "middle" };
      drawn.push(svg("text", tiny, counts[i][j]));
    }
  }
  return { drawn, margin, size };
}
