// The training of the neural bigram as in stages/train_neural_bigram.py: full-batch gradient descent on all pairs.
//
// Shapes: V vocabulary.

import { zeros } from "./models.js";

export class Training {
  /** `counts`, (V * V,): how often each token follows each; `initial`, (V * V,): the first weights. */
  constructor({ counts, initial, V, lr, regularization }) {
    Object.assign(this, { counts, V, lr, regularization, W: Float64Array.from(initial), probs: zeros(V * V) });
    this.sums = Float64Array.from({ length: V }, (_, i) =>
      counts.subarray(i * V, (i + 1) * V).reduce((a, b) => a + b, 0),
    );
    this.tokens = this.sums.reduce((a, b) => a + b, 0);
    this.forward();
  }

  /** The softmax of each row of W, and the loss: the mean of -ln p over all tokens, and the regularization. */
  forward() {
    const { V, W, counts, probs } = this;
    let [nll, squares] = [0, 0];
    for (let i = 0; i < V; i++) {
      let [largest, sum] = [-Infinity, 0];
      for (let k = i * V; k < (i + 1) * V; k++) largest = Math.max(largest, W[k]);
      for (let k = i * V; k < (i + 1) * V; k++) sum += probs[k] = Math.exp(W[k] - largest);
      const logarithm = largest + Math.log(sum);
      for (let k = i * V; k < (i + 1) * V; k++) {
        probs[k] /= sum;
        nll -= counts[k] * (W[k] - logarithm);
        squares += W[k] * W[k];
      }
    }
    this.loss = nll / this.tokens + (this.regularization * squares) / (V * V);
  }

  /** W -= lr * gradient. Returns the loss before the step. */
  step() {
    const { V, W, counts, probs, sums, tokens, lr } = this;
    const { loss } = this;
    const pull = (2 * this.regularization) / (V * V);
    for (let k = 0; k < V * V; k++) {
      W[k] -= lr * ((probs[k] * sums[Math.floor(k / V)] - counts[k]) / tokens + pull * W[k]);
    }
    this.forward();
    return loss;
  }
}

/** The loss before each of some steps. */
export function losses(options, steps) {
  const training = new Training(options);
  return Array.from({ length: steps }, () => training.step());
}
