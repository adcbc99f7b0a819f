// The models of src/makemore/models in plain JavaScript, one class per family, with the names of the Python code.
//
// `begin()` returns the state before a name. `advance(state, token)` appends a token (at first the boundary, 0) and
// returns the probabilities of the next token, (V,), and the new state. States are immutable. Weights are stored with
// 32 bits; the arithmetic uses 64 bits.
//
// Shapes: V vocabulary, T context length, C embedding or channels, H hidden, G gates, I inputs, O outputs.
const TYPES = { f4: Float32Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array };

/** Decode an array from page.py: base64 of little-endian numbers, the byte order of all current browsers. */
export function decode({ type, shape, data }) {
  const text = atob(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return { shape, data: new Float64Array(new TYPES[type](bytes.buffer)) };
}

export const row = ({ shape, data }, i) => data.subarray(i * shape[1], (i + 1) * shape[1]);
export const zeros = (size) => new Float64Array(size);
export const map = (x, f) => x.map((value, i) => f(value, i));
export const add = (x, y) => map(x, (value, i) => value + y[i]);
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const relu = (x) => Math.max(0, x);

export function concat(parts) {
  const result = zeros(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

/** x @ W + b: (I,), (I, O), (O,) -> (O,). */
export function linear(x, W, b) {
  const outputs = W.shape[1];
  const y = b ? b.data.slice() : zeros(outputs);
  for (let i = 0; i < x.length; i++) {
    const start = i * outputs;
    for (let j = 0; j < outputs; j++) y[j] += x[i] * W.data[start + j];
  }
  return y;
}

export function softmax(logits) {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const exp = map(logits, (value) => Math.exp(value - largest));
  const sum = exp.reduce((a, b) => a + b, 0);
  return map(exp, (value) => value / sum);
}

/** The smoothing methods of ngram/smoothing.py: the discount of a count, the extra weight, and the count passed on. */
const SMOOTHINGS = {
  none: () => ({}),
  additive: (strength, V) => ({ extra: () => strength * V }),
  jelinek_mercer: (strength) => ({ discount: (c) => strength * c }),
  witten_bell: (strength) => ({ extra: (different) => strength * different }),
  kneser_ney: (_strength, _V, nodes) => {
    const discounts = kneserNeyDiscounts(nodes);
    return { discount: (c) => discounts[Math.min(c, 3)], pass: () => 1 };
  },
  power_law: (strength) => ({ discount: (c) => strength * c ** strength, pass: (c) => c ** strength }),
};

/** Chen & Goodman 1998, equation 26, with the fallback of KenLM if there are too few counts. */
function kneserNeyDiscounts(nodes) {
  const t = [0, 0, 0, 0, 0]; // t[i] n-grams occur i times
  for (const { seen } of nodes) for (const c of seen.values()) if (c < 5) t[c] += 1;
  const discounts = [0, 1, 2, 3].map((i) => (i ? i - ((i + 1) * t[1] * t[i + 1]) / ((t[1] + 2 * t[2]) * t[i]) : 0));
  const fits = t[1] && t[2] && t[3] && discounts.every((d, i) => d >= 0 && d <= i);
  return fits ? discounts : [0, 0.5, 1, 1.5];
}

/** Smoothed n-gram counts. The contexts form a tree; each level is one character further back. */
class Ngram {
  constructor({ config, arrays }, V) {
    Object.assign(this, config, { V, roots: new Map() });
    this.single = config.smoothing === "none" || config.smoothing === "additive"; // only the full context
    const { shared, digits, counts, large } = arrays; // of ngrams.py; shared and counts are (K,)
    const depths = Array.from({ length: this.order }, () => []); // the nodes by context length
    const path = []; // the nodes from the position to the full context of the last n-gram
    let [read, larger] = [0, 0];
    for (let k = 0; k < counts.data.length; k++) {
      const kept = shared.data[k];
      path.length = Math.min(path.length, kept); // n-grams are sorted, so what is not shared is new
      for (let depth = kept; depth < this.order; depth++) {
        const parent = path.at(-1) ?? null;
        const digit = digits.data[read++];
        if (!parent?.start) path.push(this.grow(parent?.children ?? this.roots, digit, parent, depths[depth]));
      }
      const count = counts.data[k] === 255 ? large.data[larger++] : counts.data[k];
      path.at(-1).seen.set(digits.data[read++], count);
    }
    for (let depth = this.order - 1; depth >= (this.single ? this.order - 1 : 0); depth--) {
      this.smooth(depths[depth], depth);
    }
  }

  /** Add a node, one character further back. If orders are mixed, a single start symbol precedes a name. */
  grow(siblings, key, parent, level) {
    const start = key === 0 && parent !== null && !this.single;
    const node = { parent, start, children: new Map(), seen: new Map(), backoff: 1 };
    siblings.set(key, node);
    level.push(node);
    return node;
  }

  /**
   * P(w | h) = (c(w) - d(w)) / (c + e) + (d + e) / (c + e) * P(w | h'). Replaces the counts in `seen` by the first
   * term, and sets `backoff`, the factor of P(w | h').
   */
  smooth(nodes, depth) {
    const strength = Array.isArray(this.strength) ? this.strength[depth] : (this.strength ?? 0);
    const {
      discount = () => 0,
      extra = () => 0,
      pass = (c) => c,
    } = SMOOTHINGS[this.smoothing](strength, this.V, nodes);
    for (const node of nodes) {
      let [sum, discounts] = [0, 0];
      for (const c of node.seen.values()) {
        sum += c;
        discounts += discount(c);
      }
      const total = sum + extra(node.seen.size);
      node.backoff = (discounts + extra(node.seen.size)) / total;
      const shorter = this.single ? null : node.parent?.seen;
      for (const [token, c] of node.seen) {
        node.seen.set(token, (c - discount(c)) / total);
        shorter?.set(token, (shorter.get(token) ?? 0) + pass(c));
      }
    }
  }

  begin() {
    return [];
  }

  advance(before, token) {
    const name = token ? [...before, token] : [];
    const probs = zeros(this.V).fill(1 / this.V);
    let node = this.roots.get(Math.min(name.length, this.position));
    for (let back = 1; node; back++) {
      for (let i = 0; i < this.V; i++) probs[i] *= node.backoff;
      for (const [next, p] of node.seen) probs[next] += p;
      node = back < this.order && !node.start ? node.children.get(name[name.length - back] ?? 0) : null;
    }
    return [probs, name];
  }
}

/** Models with a fixed context length T. The state is the context. */
class Window {
  begin() {
    return Array(this.context).fill(0);
  }

  advance(before, token) {
    const context = [...before, token].slice(1);
    return [softmax(this.logits(context)), context];
  }
}

/** logits = one_hot(character) @ W: row `character` of W, (V, V). */
class NeuralBigram extends Window {
  constructor({ arrays }) {
    super();
    Object.assign(this, arrays, { context: 1 });
  }

  logits([character]) {
    return row(this.W, character);
  }
}

/** Cut a list into parts of one size. */
function groups(items, size) {
  return Array.from({ length: items.length / size }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** Bengio et al. 2003: the concatenated embeddings of the context, layers of tanh units, logits. BatchNorm is folded. */
export class MLP extends Window {
  constructor({ config, arrays }) {
    super();
    const { context, layers, flatten } = config;
    Object.assign(this, arrays, { context, layers, flatten });
  }

  /** Everything that is computed on the way from a context, (T,), to the logits. */
  forward(context) {
    const rows = context.map((token) => row(this.C, token)); // T of (C,)
    const x = concat(rows); // (T * C,)
    let [inputs, h] = [[], rows]; // of the last layer: G of (H,)
    for (let i = 1; i <= this.layers; i++) {
      const joined = this.flatten ?? h.length; // the first layer joins all, the next have one group
      inputs = groups(h, joined).map((group) => linear(concat(group), this[`W${i}`], this[`b${i}`]));
      h = inputs.map((input) => map(input, Math.tanh));
    }
    [inputs, h] = [inputs[0], h[0]]; // (H,)
    const hidden = linear(h, this[`W${this.layers + 1}`], this[`b${this.layers + 1}`]); // (V,)
    return { rows, inputs, h, logits: this.direct ? add(hidden, linear(x, this.direct)) : hidden };
  }

  logits(context) {
    return this.forward(context).logits;
  }

  /** What a token at a position of the context adds to the input of a hidden unit. */
  drive(unit, position, token) {
    const C = this.C.shape[1];
    const H = this.W1.shape[1];
    return row(this.C, token).reduce((sum, x, i) => sum + x * this.W1.data[(position * C + i) * H + unit], 0);
  }
}

// One step of each recurrent cell, from the input's part x, (G * H,), and the state to the new state, output first.
const CELLS = {
  rnn: (x, [h], U) => [map(linear(h, U), (value, j) => Math.tanh(x[j] + value))],
  lstm: (x, [h, c], U) => {
    const H = h.length;
    const gates = add(linear(h, U), x); // (4 * H,): input, forget and output gate, candidate
    const cell = map(c, (value, j) => sigmoid(gates[H + j]) * value + sigmoid(gates[j]) * Math.tanh(gates[3 * H + j]));
    return [map(cell, (value, j) => sigmoid(gates[2 * H + j]) * Math.tanh(value)), cell];
  },
  gru: (x, [h], U) => {
    const H = h.length;
    const y = linear(h, U); // (3 * H,): reset and update gate, candidate
    return [
      map(h, (value, j) => {
        const [r, z] = [sigmoid(x[j] + y[j]), sigmoid(x[H + j] + y[H + j])];
        const candidate = Math.tanh(x[2 * H + j] + r * y[2 * H + j]);
        return candidate + z * (value - candidate);
      }),
    ];
  },
};

/** Embeddings, recurrent layers, logits. The state of each layer is h and, for the LSTM, c, (H,). */
class Recurrent {
  constructor({ config, arrays }) {
    Object.assign(this, { config, arrays });
  }

  begin() {
    const parts = this.config.cell === "lstm" ? 2 : 1;
    return Array.from({ length: this.config.layers }, () =>
      Array.from({ length: parts }, () => zeros(this.config.hidden)),
    );
  }

  advance(before, token) {
    const { arrays } = this;
    let h = row(arrays.C, token); // (C,)
    const state = before.map((part, layer) => {
      const x = linear(h, arrays[`layers.${layer}.input.W`], arrays[`layers.${layer}.input.b`]); // (G * H,)
      const after = CELLS[this.config.cell](x, part, arrays[`layers.${layer}.U`]);
      h = after[0];
      return after;
    });
    return [softmax(linear(h, arrays["output.W"], arrays["output.b"])), state];
  }
}

/** The sum of the embeddings of a token and its position. Positions beyond the table share its last entry. */
function embedded({ C, P }, token, position) {
  return add(row(C, token), row(P, Math.min(position, P.shape[0] - 1)));
}

/** A causal bag of words: the mean of all embeddings so far. The state is their sum, (C,), and their number. */
class BagOfWords {
  constructor({ arrays }) {
    this.arrays = arrays;
  }

  begin() {
    return [zeros(this.arrays.C.shape[1]), 0];
  }

  advance([sum, count], token) {
    const { arrays } = this;
    const x = embedded(arrays, token, count); // (C,)
    const sums = add(sum, x);
    const y = map(x, (value, i) => value + sums[i] / (count + 1));
    const h = map(linear(y, arrays["hidden.W"], arrays["hidden.b"]), Math.tanh); // (H,)
    const z = add(y, linear(h, arrays["residual.W"], arrays["residual.b"]));
    return [softmax(linear(z, arrays["output.W"], arrays["output.b"])), [sums, count + 1]];
  }
}

/** WaveNet: gated dilated convolutions, an MLP on their skip outputs. The state is the inputs of each layer so far. */
class WaveNet {
  constructor({ config, arrays }) {
    Object.assign(this, { config, arrays });
  }

  begin() {
    return Array.from({ length: this.config.layers }, () => []);
  }

  advance(before, token) {
    const { arrays, config } = this;
    const C = config.channels;
    let x = row(arrays.C, token); // (C,)
    let skipped = zeros(config.hidden);
    const state = before.map((inputs, layer) => {
      const seen = [...inputs, x];
      const dilation = config.kernel ** layer;
      const taps = Array.from(
        { length: config.kernel },
        (_, tap) => seen[seen.length - 1 - tap * dilation] ?? zeros(C), // nearest first
      );
      const gated = linear(concat(taps), arrays[`layers.${layer}.taps.W`], arrays[`layers.${layer}.taps.b`]); // (2C,)
      const y = map(gated.subarray(0, C), (value, i) => Math.tanh(value) * sigmoid(gated[C + i]));
      const out = linear(y, arrays[`layers.${layer}.output.W`], arrays[`layers.${layer}.output.b`]); // (C + H,)
      x = add(x, out);
      skipped = add(skipped, out.subarray(C));
      return seen;
    });
    const h = map(linear(map(skipped, relu), arrays["hidden.W"], arrays["hidden.b"]), relu); // (H,)
    return [softmax(linear(h, arrays["output.W"], arrays["output.b"])), state];
  }
}

/** GPT-2's approximation of GELU. */
const gelu = (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

function layerNorm(x, weight, bias) {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  return map(x, (value, i) => ((value - mean) / Math.sqrt(variance + 1e-5)) * weight.data[i] + bias.data[i]);
}

/** GPT-2: blocks of causal attention and an MLP. The state is the keys and values of each block so far, (C,) each. */
class Transformer {
  constructor({ config, arrays }) {
    Object.assign(this, { config, arrays });
  }

  begin() {
    return Array.from({ length: this.config.layers }, () => []);
  }

  advance(before, token) {
    const { arrays, config } = this;
    const norm = (x, name) => layerNorm(x, arrays[`${name}.weight`], arrays[`${name}.bias`]);
    let x = embedded(arrays, token, before[0].length); // (C,)
    const state = before.map((inputs, block) => {
      const apply = (y, name) => linear(y, arrays[`blocks.${block}.${name}.W`], arrays[`blocks.${block}.${name}.b`]);
      const [C, qkv] = [config.embedding, apply(norm(x, `blocks.${block}.norm1`), "qkv")]; // (3 * C,)
      const seen = [...inputs, { k: qkv.subarray(C, 2 * C), v: qkv.subarray(2 * C) }];
      x = add(x, apply(this.attend(qkv.subarray(0, C), seen), "attended"));
      x = add(x, apply(map(apply(norm(x, `blocks.${block}.norm2`), "hidden"), gelu), "output"));
      return seen;
    });
    return [softmax(linear(norm(x, "norm"), arrays["output.W"], arrays["output.b"])), state];
  }

  /** Attention over all positions so far, with the query q, (C,). Each head uses D = C / heads of the channels. */
  attend(q, seen) {
    const D = q.length / this.config.heads;
    const y = zeros(q.length);
    for (let start = 0; start < q.length; start += D) {
      const scores = seen.map(({ k }) => {
        let sum = 0;
        for (let i = start; i < start + D; i++) sum += q[i] * k[i];
        return sum / Math.sqrt(D);
      });
      softmax(scores).forEach((weight, position) => {
        for (let i = start; i < start + D; i++) y[i] += weight * seen[position].v[i];
      });
    }
    return y;
  }
}

const FAMILIES = {
  ngram: Ngram,
  neural_bigram: NeuralBigram,
  mlp: MLP,
  recurrent: Recurrent,
  bow: BagOfWords,
  wavenet: WaveNet,
  transformer: Transformer,
};

/** Load a model that page.py embedded. */
export function load({ family, config, arrays }, V) {
  const decoded = Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, decode(array)]));
  return new FAMILIES[family]({ config, arrays: decoded }, V);
}

/** The probability of each token of a name, end included, given the tokens before it, and the distributions, (V,). */
export function score(model, tokens) {
  let state = model.begin();
  let last = 0;
  const distributions = [];
  for (const token of [...tokens, 0]) {
    const [probs, after] = model.advance(state, last);
    distributions.push(probs);
    [state, last] = [after, token];
  }
  return { probs: [...tokens, 0].map((token, i) => distributions[i][token]), distributions };
}

/** Probabilities raised to 1 / temperature and normalised; at 0 the most likely token has probability 1. */
export function tempered(probs, temperature) {
  const largest = probs.reduce((a, b) => Math.max(a, b), 0);
  if (temperature === 0) {
    const likeliest = probs.indexOf(largest);
    return map(probs, (_, i) => (i === likeliest ? 1 : 0));
  }
  const powers = map(probs, (p) => (p / largest) ** (1 / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return map(powers, (p) => p / sum);
}

export const MAX_LENGTH = 50; // generated names are cut off after this many characters

/** The token whose share of the cumulative probabilities contains u, a number in [0, 1). */
export function pick(probs, u) {
  let [rest, token] = [u, 0];
  while (token < probs.length - 1 && rest >= probs[token]) rest -= probs[token++];
  return token;
}

/** Sample a continuation of a prefix, until the end of the name or MAX_LENGTH tokens in total. */
export function finish(model, prefix, temperature, random) {
  const generated = [];
  let [probs, state] = model.advance(model.begin(), 0);
  for (const token of prefix) [probs, state] = model.advance(state, token);
  while (prefix.length + generated.length < MAX_LENGTH) {
    const weights = tempered(probs, temperature);
    const token = pick(weights, random());
    if (token === 0) return { generated, ended: true };
    generated.push(token);
    [probs, state] = model.advance(state, token);
  }
  return { generated, ended: false };
}
