"""The published figures of the lectures, reproduced by this project's code."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from conftest import additive, encoded, lines_of, mlp_params, sample_params, text_of
from makemore.core.names import Text
from makemore.core.params import Section
from makemore.core.vocab import Tokens, Vocab
from makemore.evaluation.losses import evaluate, token_nlls
from makemore.models.mlp import MLP
from makemore.models.neural_bigram import NeuralBigram
from makemore.models.ngram.model import Ngram, fit
from makemore.nn import neural
from makemore.nn.neural import Neural
from makemore.sampling.sampler import sample
from makemore.training.loop import Curve, Plan, train_network
from makemore.training.optimizers import SGD, Group

SEED = 2147483647  # of all of the lectures' generators


@pytest.fixture
def vocab(real: Text) -> Vocab:
    return Vocab.of(real)


@pytest.fixture
def tokens(real: Text, vocab: Vocab) -> Tokens:
    return vocab.encode(real, "names.txt")


def bigram(tokens: Tokens, strength: float) -> Ngram:
    return fit(additive(2, strength), tokens, 27)


def gradient_descent(model: Neural, loss: Callable[[], torch.Tensor], lr: float, steps: int) -> Curve:
    return train_network(model, loss, SGD([Group(list(model.parameters()))]), Plan(steps, lambda step: lr))


def test_bigram_of_three_names(tokens: Tokens, vocab: Vocab) -> None:
    nlls = token_nlls(bigram(tokens, 0), encoded(vocab, "emma", "olivia", "ava"))
    assert len(nlls) == 16
    assert nlls.sum() == pytest.approx(38.7856, abs=5e-5)
    assert nlls.mean() == pytest.approx(2.4241, abs=5e-5)


def test_bigram_of_the_whole_list(tokens: Tokens, vocab: Vocab) -> None:
    assert token_nlls(bigram(tokens, 0), tokens).sum() == pytest.approx(559_873.6, abs=0.05)
    assert evaluate(bigram(tokens, 0), tokens)["nll"] == pytest.approx(2.4540, abs=5e-5)
    assert evaluate(bigram(tokens, 1), tokens)["nll"] == pytest.approx(2.4546, abs=5e-5)


def test_bigram_of_andrej(tokens: Tokens, vocab: Vocab) -> None:
    assert evaluate(bigram(tokens, 0), encoded(vocab, "andrej"))["nll"] == pytest.approx(3.0391, abs=5e-5)
    assert evaluate(bigram(tokens, 0), encoded(vocab, "andrejq"))["nll"] == math.inf  # jq never occurs
    assert evaluate(bigram(tokens, 1), encoded(vocab, "andrejq"))["nll"] == pytest.approx(3.4834, abs=5e-5)


def test_the_uniform_model(vocab: Vocab) -> None:
    uniform = Ngram(additive(1, 1), np.array([0]), np.array([0]), len(vocab))
    assert evaluate(uniform, encoded(vocab, "emma"))["nll"] == pytest.approx(3.2958, abs=5e-5)


def test_bigram_samples(tokens: Tokens, vocab: Vocab) -> None:
    """One torch.multinomial per character, as in the lecture, through this project's sampler."""
    generator = torch.Generator().manual_seed(SEED)

    def multinomial(probs: np.ndarray, _: np.random.Generator) -> np.ndarray:
        row = torch.from_numpy(probs).float()
        return torch.multinomial(row, num_samples=1, replacement=True, generator=generator)[:, 0].numpy()

    made = np.concatenate([*sample(bigram(tokens, 1), sample_params(count=5), vocab, batch=1, draw=multinomial)])
    assert lines_of(made) == [
        "cexze",
        "momasurailezitynn",
        "konimittain",
        "llayn",
        "ka",
    ]


def test_neural_bigram_at_initialization(vocab: Vocab) -> None:
    model = NeuralBigram(Section(), len(vocab), torch.Generator().manual_seed(SEED))
    assert evaluate(model, encoded(vocab, "emma"))["nll"] == pytest.approx(3.7693, abs=5e-5)


def test_neural_bigram_of_the_whole_list(tokens: Tokens, vocab: Vocab) -> None:
    model = NeuralBigram(Section(), len(vocab), torch.Generator().manual_seed(SEED))
    contexts, weights = neural.distinct_examples(tokens, 1, len(vocab))
    batch = contexts, weights.all()
    unregularized = []

    def loss() -> torch.Tensor:
        unregularized.append(model.loss(*batch).item())
        return model.regularized_loss(*batch, 0.01)

    curve = gradient_descent(model, loss, lr=50, steps=200)
    total = {step: value for step, value, *_ in curve}
    assert [total[1], total[100], total[200]] == pytest.approx([3.7686, 2.4901, 2.4830], abs=1e-4)
    assert unregularized[-1] == pytest.approx(2.4653, abs=1e-4)


def test_neural_bigram_converges_to_the_counted_one(tokens: Tokens, vocab: Vocab) -> None:
    model = NeuralBigram(Section(), len(vocab), torch.Generator().manual_seed(SEED))
    contexts, weights = neural.distinct_examples(tokens, 1, len(vocab))
    batch = contexts, weights.all()
    gradient_descent(model, lambda: model.loss(*batch), lr=50, steps=3000)
    contexts = np.arange(27, dtype=np.int32)[:, None]
    P = np.exp(bigram(tokens, 0).log_probs(contexts))
    frequent = np.bincount(tokens) > 5000  # rarely seen rows need more steps
    assert np.abs(np.exp(model.log_probs(contexts)) - P)[frequent].max() < 0.005


def test_indexing_and_cross_entropy_equal_the_one_hot_and_hand_written_forms(tokens: Tokens, vocab: Vocab) -> None:
    """Exercises E04 and E05: losses and gradients, compared with the lecture's own lines."""
    model = NeuralBigram(Section(), len(vocab), torch.Generator().manual_seed(SEED))
    contexts, targets = neural.examples(tokens[:5000], 1)
    ours = model.regularized_loss(contexts, targets, 0.01)
    ours.backward()

    W = model.W.detach().clone().requires_grad_()
    xenc = F.one_hot(contexts[:, 0], num_classes=27).float()
    logits = xenc @ W
    counts = logits.exp()
    probs = counts / counts.sum(1, keepdim=True)
    loss = -probs[torch.arange(len(targets)), targets].log().mean() + 0.01 * (W**2).mean()
    loss.backward()
    assert ours.item() == pytest.approx(loss.item(), abs=1e-6)
    assert torch.allclose(model.W.grad, W.grad, atol=1e-7)


@pytest.mark.parametrize(("embedding", "hidden", "count"), [(2, 100, 3_481), (2, 300, 10_281), (10, 200, 11_897)])
def test_mlp_parameters(embedding: int, hidden: int, count: int) -> None:
    assert MLP(mlp_params(embedding=embedding, hidden=hidden), 27, None).parameter_count == count


@pytest.mark.parametrize("direct", [True, False])
def test_bengio_parameters(direct: bool) -> None:
    """|V|(1 + nm + h) + h(1 + nm) + |V|m with direct connections, |V|(1 + m + h) + h(1 + nm) without."""
    V, n, m, h = 27, 4, 5, 30
    model = MLP(mlp_params(context=n, embedding=m, hidden=h, direct=direct), V, None)
    with_direct, without = V * (1 + n * m + h) + h * (1 + n * m) + V * m, V * (1 + m + h) + h * (1 + n * m)
    assert model.parameter_count == (with_direct if direct else without)


def lecture_mlp(vocab: Vocab) -> MLP:
    params = mlp_params(embedding=2, hidden=100, initialization="randn")
    return MLP(params, len(vocab), torch.Generator().manual_seed(SEED))


def test_mlp_on_five_names(vocab: Vocab) -> None:
    model = lecture_mlp(vocab)
    batch = neural.examples(encoded(vocab, "emma", "olivia", "ava", "isabella", "sophia"), 3)
    assert len(batch[1]) == 32
    curve = gradient_descent(model, lambda: model.loss(*batch), lr=0.1, steps=1)
    assert curve[0][1] == pytest.approx(17.7697, abs=1e-3)
    gradient_descent(model, lambda: model.loss(*batch), lr=0.1, steps=999)
    assert model.loss(*batch).item() == pytest.approx(0.2561, abs=1e-3)


def test_mlp_forward_is_the_lectures(vocab: Vocab) -> None:
    model = lecture_mlp(vocab)
    g = torch.Generator().manual_seed(SEED)
    C = torch.randn((27, 2), generator=g)
    W1 = torch.randn((6, 100), generator=g)
    b1 = torch.randn(100, generator=g)
    W2 = torch.randn((100, 27), generator=g)
    b2 = torch.randn(27, generator=g)
    X, Y = neural.examples(encoded(vocab, *lines_of(text_of("emma", "olivia", "ava"))), 3)
    emb = C[X]
    h = torch.tanh(emb.view(-1, 6) @ W1 + b1)
    logits = h @ W2 + b2
    assert torch.allclose(model(X), logits, atol=1e-5)
    assert model.loss(X, Y).item() == pytest.approx(F.cross_entropy(logits, Y).item(), abs=1e-5)
