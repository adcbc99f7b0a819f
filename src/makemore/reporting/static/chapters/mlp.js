// The MLP: its embedding and its forward pass.
import { chart, extent, number, numbers, svg } from "../charts.js";
import { at, data, visible } from "../data.js";
import { chapter } from "../frame.js";

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
        drawn.push(
          svg("text", { class: "glyph", x: toX(a), y: toY(b) + 4, "text-anchor": "middle" }, visible(character)),
        );
      }
      return drawn;
    },
  });
  numbers(container.parentElement, ["character", "x", "y", "nearest"], () =>
    points.map((point, i) => [visible(point[0]), number(point[1], 3), number(point[2], 3), visible(nearest(point, i))]),
  );
}

chapter("mlp", () => drawEmbedding(at("embedding-chart"), data.embedding));
