// Bigrams and trigrams with a number added to each count: probabilities, and the losses on train and dev.
//
// Shapes: V vocabulary, K distinct trigrams of train.

import { decode, zeros } from "./models.js";

/** The loss with `strength` added to each count, in nats per token. See additive.py for the sums. */
export function lossOf({ hits, totals, unseen }, strength, V) {
  let [sum, tokens] = [unseen * Math.log(V), unseen];
  for (const [count, times] of totals) sum += times * Math.log(count + strength * V);
  for (const [count, times] of hits) {
    sum -= times * Math.log(count + strength);
    tokens += times;
  }
  return sum / tokens;
}

/** The counts of train. A bigram's is the sum of those of the trigrams that end with it. */
export class Counts {
  constructor({ trigrams, counts }, V) {
    this.V = V;
    this.rows = new Map(); // of a context, "a" or "a,b", the count of each token that follows: few of V do
    const digits = decode(trigrams).data; // (K, 3)
    decode(counts).data.forEach((count, k) => {
      const [first, second, next] = digits.subarray(3 * k, 3 * k + 3);
      for (const context of [`${second}`, `${first},${second}`]) {
        if (!this.rows.has(context)) this.rows.set(context, new Map());
        const row = this.rows.get(context);
        row.set(next, (row.get(next) ?? 0) + count);
      }
    });
  }

  /** The count of each token after a context, (V,): after one token or two, the nearest last. */
  row(context) {
    const row = zeros(this.V);
    for (const [token, count] of this.rows.get(context.join()) ?? []) row[token] = count;
    return row;
  }

  /** The probability of each token after a context, (V,). After one that train does not contain, it is 1 / V. */
  probs(context, strength) {
    const row = this.row(context);
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((count) => (total ? (count + strength) / (total + strength * this.V) : 1 / this.V));
  }

  /** The probability of each token of a name, end included, after the `size` tokens before it. */
  score(tokens, size, strength) {
    const padded = [...Array(size).fill(0), ...tokens];
    return [...tokens, 0].map((token, i) => this.probs(padded.slice(i, i + size), strength)[token]);
  }
}
