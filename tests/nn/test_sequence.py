"""What every network that reads whole names has in common, and each compared with a reference implementation."""

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import AdamW

from conftest import encoded, lines_of, sample_params, text_of, tiny_names
from makemore.core.contexts import Contexts
from makemore.core.model import Window
from makemore.core.vocab import Vocab
from makemore.evaluation.losses import token_nlls
from makemore.models.bow import BagOfWords, BagOfWordsParams
from makemore.models.recurrent import Recurrent, RecurrentParams
from makemore.models.transformer import Block, Transformer, TransformerParams
from makemore.models.wavenet import WaveNet, WaveNetParams
from makemore.nn import sequence
from makemore.nn.sequence import Dropout, Sequence
from makemore.sampling import sampler
from makemore.sampling.sampler import sample

NAMES = sorted(tiny_names())  # in the order of `examples`
VOCAB = Vocab.of(text_of(*NAMES))
V = len(VOCAB)
TOKENS = encoded(VOCAB, *NAMES)


def cell(kind: str, layers: int = 1, dropout: float = 0) -> RecurrentParams:
    return RecurrentParams.model_validate(
        {"cell": kind, "embedding": 8, "hidden": 32, "layers": layers, "dropout": dropout}
    )


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


Make = Callable[[torch.Generator], Sequence]
BOW = BagOfWordsParams(embedding=32, hidden=64, positions=4, dropout=0)
WAVENET = WaveNetParams(channels=32, hidden=32, layers=3, kernel=2, dropout=0)
THREE = WAVENET.model_copy(update={"kernel": 3, "layers": 2})
TRANSFORMER = TransformerParams(layers=2, heads=2, embedding=32, positions=4, dropout=0)
MODELS: dict[str, Make] = {
    "rnn": lambda generator: Recurrent(cell("rnn"), V, generator),
    "gru": lambda generator: Recurrent(cell("gru"), V, generator),
    "lstm": lambda generator: Recurrent(cell("lstm"), V, generator),
    "lstm, two layers": lambda generator: Recurrent(cell("lstm", layers=2), V, generator),
    "bow": lambda generator: BagOfWords(BOW, V, generator),
    "wavenet": lambda generator: WaveNet(WAVENET, V, generator),
    "wavenet, kernel 3": lambda generator: WaveNet(THREE, V, generator),
    "transformer": lambda generator: Transformer(TRANSFORMER, V, generator),
}
each_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


def shaken(make: Make) -> Sequence:
    """A model whose predictions are far from uniform and depend on all inputs."""
    model = make(seeded())
    draw = seeded(2)
    for weight in model.parameters():
        weight.data += 0.3 * torch.randn(weight.shape, generator=draw)
    return model


def naive(model: Sequence, name: str) -> np.ndarray:
    """-ln P of each token of a name; reads the whole prefix again for each token."""
    tokens = encoded(VOCAB, name)
    prefixes = [tokens[None, :end] for end in range(len(tokens))]
    return np.array([-model.log_probs(prefix)[0, token] for prefix, token in zip(prefixes, tokens, strict=True)])


@each_model
def test_a_name_has_the_same_loss_alone_in_a_batch_and_prefix_by_prefix(make: Make) -> None:
    model = shaken(make)
    nlls = token_nlls(model, TOKENS)
    sizes, rows = model.examples(TOKENS)
    losses = [token_nlls(model, encoded(VOCAB, name)) for name in NAMES]
    assert losses[0] == pytest.approx(naive(model, NAMES[0]), abs=1e-5)
    assert nlls == pytest.approx(np.concatenate(losses), abs=1e-5)
    assert model.loss(sizes, rows).item() == pytest.approx(nlls.mean(), abs=1e-5)
    row = NAMES.index(min(NAMES, key=len))
    assert model.loss(sizes[[row]], rows[[row]]).item() == pytest.approx(losses[row].mean(), abs=1e-5)
    assert losses[row].mean() != pytest.approx(nlls.mean(), abs=0.01)


@each_model
def test_shared_prefixes_count_as_often_as_they_occur(make: Make) -> None:
    """The loss of a batch and its gradients equal those of its names taken one by one."""
    model = shaken(make).double()
    sizes, rows = model.examples(encoded(VOCAB, "abba", "abba", "ab", "abc", "a", "cab", "abba"))

    def gradients(loss: torch.Tensor) -> list[torch.Tensor]:
        return list(torch.autograd.grad(loss, list(model.parameters())))

    together, total = model.loss(sizes, rows), int(sizes.sum())
    alone = [model.loss(sizes[[row]], rows[[row]]) * sizes[row] / total for row in range(len(rows))]
    assert together.item() == pytest.approx(sum(loss.item() for loss in alone), abs=1e-9)
    expected = [sum(parts) for parts in zip(*map(gradients, alone), strict=True)]
    for found, wanted in zip(gradients(together), expected, strict=True):
        assert torch.allclose(found, wanted, atol=1e-9)


@each_model
def test_padded_names_have_the_loss_and_the_gradients_of_the_prefix_tree(make: Make) -> None:
    """What a GPU computes, in double precision on the CPU; with padding beyond the longest name."""
    model = shaken(make).double()
    sizes, rows = model.examples(encoded(VOCAB, "abba", "abba", "ab", "abc", "a", "cab"))
    wider = torch.nn.functional.pad(rows, (0, 3))
    expected = torch.rand(*wider.shape, V, generator=seeded(), dtype=torch.float64)
    weights = list(model.parameters())
    for targets in None, expected / expected.sum(dim=2, keepdim=True):
        narrower = None if targets is None else targets[:, : rows.shape[1]]
        losses = model.loss(sizes, rows, narrower), model.padded_loss(sizes, wider, targets)
        assert losses[0].item() == pytest.approx(losses[1].item(), abs=1e-12)
        for found, wanted in zip(*(torch.autograd.grad(loss, weights) for loss in losses), strict=True):
            assert torch.allclose(found, wanted, atol=1e-12)


@each_model
def test_later_characters_do_not_affect_earlier_predictions(make: Make) -> None:
    model = shaken(make)
    tokens = np.array([0, 1, 2, 3, 4, 5, 1, 2], dtype=np.int32)
    logits = model(model.tree(tokens))
    for changed in range(1, 8):
        other = tokens.copy()
        other[changed] = other[changed] % 5 + 1
        difference = (model(model.tree(other)) - logits).abs().amax(dim=1)
        assert difference[:changed].max() < 1e-5
        assert difference[changed] > 1e-3


@each_model
def test_contexts_start_at_the_last_boundary(make: Make) -> None:
    model = shaken(make)
    rows: Contexts = np.array([[0, 0, 1, 2], [3, 0, 1, 2], [0, 0, 0, 0], [1, 2, 3, 4]], dtype=np.int32)
    log_probs = model.log_probs(rows)
    assert log_probs.dtype == np.float64
    assert np.exp(log_probs).sum(axis=1) == pytest.approx(1)
    assert log_probs[0] == pytest.approx(log_probs[1], abs=1e-5)
    assert log_probs[0] == pytest.approx(model.log_probs(rows[:1, 2:])[0], abs=1e-5)
    assert log_probs[2] == pytest.approx(model.log_probs(rows[:1, :0])[0], abs=1e-5)


@each_model
def test_names_can_have_any_length(make: Make) -> None:
    model = shaken(make)
    long = "abcde" * 15
    assert token_nlls(model, encoded(VOCAB, long, "ab"))[:-3] == pytest.approx(naive(model, long), abs=1e-4)


class Naive(Window):
    """Reads the whole name again for each character."""

    def __init__(self, model: Sequence, longest: int):
        self.model, self.context = model, longest


@each_model
def test_sampling_with_a_kept_state_equals_naive_sampling(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    model = shaken(make)
    params = sample_params(count=300, max_length=11)
    kept = np.concatenate([*sample(model, params, VOCAB, batch=100)])
    monkeypatch.setattr(sampler, "stateful", lambda model: Naive(model, 12))
    assert np.array_equal(kept, np.concatenate([*sample(model, params, VOCAB, batch=100)]))
    assert len({len(name) for name in lines_of(kept)}) > 2


@each_model
def test_it_can_memorise_a_few_names(make: Make) -> None:
    names = tiny_names(37)[:32]
    model, tokens = make(seeded()), encoded(VOCAB, *names)
    batch = model.examples(tokens)
    optimizer = AdamW(model.parameters(), lr=0.01, weight_decay=0)
    for step in range(200):
        optimizer.param_groups[0]["lr"] = 0.01 * (1 - step / 200)
        loss = model.loss(*batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    entropy = sum(math.log(len(names) / count) * count for count in Counter(names).values()) / len(tokens)
    assert entropy - 1e-4 < token_nlls(model, tokens).mean() < entropy + 0.05


@each_model
def test_the_seed_determines_the_initial_weights(make: Make) -> None:
    first, same, other = make(seeded(1)).arrays(), make(seeded(1)).arrays(), make(seeded(2)).arrays()
    assert all(np.array_equal(first[name], same[name]) for name in first)
    assert any(not np.array_equal(first[name], other[name]) for name in first)


@each_model
def test_the_initial_loss_is_near_uniform(make: Make) -> None:
    assert token_nlls(make(seeded()), TOKENS).mean() == pytest.approx(math.log(V), abs=0.1)


@each_model
def test_the_declared_embeddings_exist(make: Make) -> None:
    model = make(seeded())
    assert set(model.embeddings) <= {name.split(".")[0] for name, _ in model.named_parameters()}


def test_examples_are_padded_rows() -> None:
    sizes, rows = MODELS["rnn"](seeded()).examples(np.array([1, 2, 0, 3, 0], dtype=np.int32))
    assert sizes.tolist() == [3, 2]
    assert rows.tolist() == [[1, 2, 0], [3, 0, 0]]


def test_the_chunk_size_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    model = MODELS["gru"](seeded())
    whole = model.token_log_probs(TOKENS)
    monkeypatch.setattr(sequence, "MAX_CHUNK_TOKENS", 11)
    assert model.token_log_probs(TOKENS) == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("layers", [1, 2])
def test_recurrent_networks_equal_torchs(kind: str, layers: int) -> None:
    model = Recurrent(cell(kind, layers), V, seeded())
    theirs = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[kind](8, 32, layers, batch_first=True)
    gates = {"rnn": [0], "gru": [0, 1, 2], "lstm": [0, 1, 3, 2]}[kind]  # its LSTM has the candidate before the output
    for depth, layer in enumerate(model.layers):
        for name, ours in (("weight_ih", layer.input.W.T), ("weight_hh", layer.U.T), ("bias_ih", layer.input.b)):
            blocks = ours.detach().split(32)
            getattr(theirs, f"{name}_l{depth}").data = torch.cat([blocks[gate] for gate in gates])
        getattr(theirs, f"bias_hh_l{depth}").data.zero_()
    sizes, Y = model.examples(TOKENS)
    X = nn.functional.pad(Y[:, :-1], (1, 0)).long()
    h, _ = theirs(model.C[X])  # (N, T, H)
    inside = torch.arange(X.shape[1]) < sizes.unsqueeze(1)
    expected = torch.log_softmax(model.output(h[inside]).double(), dim=1)  # (K, V)
    picked = expected.gather(1, torch.from_numpy(TOKENS).long().unsqueeze(1)).squeeze(1)
    assert model.token_log_probs(TOKENS) == pytest.approx(picked.detach().numpy(), abs=1e-5)


def test_the_lstm_equals_a_naive_one() -> None:
    """Graves 2013, equations 7 to 11, without peepholes, in numpy."""
    model = Recurrent(cell("lstm"), V, seeded())
    weights = {name: weight.astype(np.float64) for name, weight in model.arrays().items()}

    def sigma(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    for name in NAMES[:5]:
        h, c, token, by_hand = np.zeros(32), np.zeros(32), 0, []
        for following in encoded(VOCAB, name):
            gates = weights["C"][token] @ weights["layers.0.input.W"] + h @ weights["layers.0.U"]
            i, f, o, g = np.split(gates + weights["layers.0.input.b"], 4)
            c = sigma(f) * c + sigma(i) * np.tanh(g)
            h = sigma(o) * np.tanh(c)
            logits = h @ weights["output.W"] + weights["output.b"]
            by_hand.append(np.log(np.exp(logits).sum()) - logits[following])
            token = following
        assert token_nlls(model, encoded(VOCAB, name)) == pytest.approx(by_hand, abs=1e-5)


def test_the_bag_of_words_equals_a_naive_one() -> None:
    model = shaken(MODELS["bow"])
    weights = {name: weight.astype(np.float64) for name, weight in model.arrays().items()}
    for name in NAMES[:5]:
        seen: list[np.ndarray] = []
        for token, nll in zip([0, *encoded(VOCAB, name)], token_nlls(model, encoded(VOCAB, name)), strict=False):
            seen.append(weights["C"][token] + weights["P"][min(len(seen), 3)])
            x = seen[-1] + np.mean(seen, axis=0)
            hidden = np.tanh(x @ weights["hidden.W"] + weights["hidden.b"])
            x = x + hidden @ weights["residual.W"] + weights["residual.b"]
            logits = x @ weights["output.W"] + weights["output.b"]
            following = encoded(VOCAB, name)[len(seen) - 1]
            assert nll == pytest.approx(np.log(np.exp(logits).sum()) - logits[following], abs=1e-5)


def test_the_convolution_equals_torchs() -> None:
    model = shaken(MODELS["wavenet, kernel 3"])
    assert isinstance(model, WaveNet)
    x = torch.tensor([[0, 1, 2, 3, 4, 5, 1, 2, 3, 4]])
    h, skipped = model.C[x].transpose(1, 2), torch.zeros(())  # (1, C, T)
    for dilation, layer in zip([1, 3], model.layers, strict=True):
        kernel = layer.taps.W.T.unflatten(1, (3, 32)).permute(0, 2, 1).flip(2)  # (2 * C, C, K)
        before = nn.functional.pad(h, (2 * dilation, 0))
        filtered, gate = nn.functional.conv1d(before, kernel, layer.taps.b, dilation=dilation).chunk(2, dim=1)
        added = layer.output((filtered.tanh() * gate.sigmoid())[0].T)  # (T, C + H)
        h, skipped = h + added[:, :32].T, skipped + added[:, 32:]
    assert torch.allclose(model(model.tree(x[0].numpy())), model.head(skipped), atol=1e-4)


def test_attention_equals_the_softmax_formula() -> None:
    block = Block(TRANSFORMER, Dropout(0, None), seeded())
    q, k, v = torch.randn(3, 1, 5, 32, generator=seeded()).unbind(0)
    attended = []
    for head in range(2):
        part = slice(16 * head, 16 * (head + 1))
        scores = (q[0, :, part] @ k[0, :, part].T / 4).masked_fill(torch.ones(5, 5).triu(1).bool(), -math.inf)
        attended.append(scores.softmax(dim=1) @ v[0, :, part])
    assert torch.allclose(block.attend(q, k, v, causal=True)[0], torch.cat(attended, dim=1), atol=1e-5)


def test_heads_must_divide_the_embedding() -> None:
    with pytest.raises(ValueError, match="heads: expected a divisor of embedding, 32, got 3"):
        TransformerParams(layers=1, heads=3, embedding=32, positions=4, dropout=0)


def test_dropout_zeroes_a_share_and_scales_up_the_rest() -> None:
    drop, x = Dropout(0.25, seeded()), torch.ones(1000, 20)
    dropped = drop(x)
    assert dropped.unique().tolist() == pytest.approx([0, 4 / 3])
    assert float(dropped.mean()) == pytest.approx(1, abs=0.02)
    assert torch.equal(Dropout(0.25, seeded())(x), dropped)
    assert drop.eval()(x) is x


def test_predictions_use_no_dropout_and_do_not_end_training_mode() -> None:
    model = Recurrent(cell("gru", dropout=0.5), V, seeded())
    batch = model.examples(TOKENS)
    assert not torch.equal(model.loss(*batch), model.loss(*batch))
    assert np.array_equal(token_nlls(model, TOKENS), token_nlls(model, TOKENS))
    assert model.training
