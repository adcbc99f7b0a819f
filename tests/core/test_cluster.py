"""The same bytes on a cluster as in one process."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from conftest import text_of, tiny_names
from makemore.core import cluster, names
from makemore.core.cluster import Shard, reduce_shards, shards
from makemore.core.counts import Counts, merge
from makemore.core.vocab import Vocab
from makemore.models.ngram.model import NgramParams, count_file, count_shard

distributed = pytest.importorskip("distributed")

Run = Callable[..., Result]

LISTED = text_of(*tiny_names(300))
VOCAB = Vocab.of(LISTED)
PARAMS = NgramParams(order=4, smoothing="kneser_ney", strength=None, position=2)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of 14 shards."""
    monkeypatch.setattr(cluster, "SHARD", 100)
    names.write(tmp_path / "names.txt", LISTED)
    return tmp_path / "names.txt"


@contextmanager
def running(workers: int) -> Iterator[str]:
    """A cluster in this process; its address."""
    options = {"n_workers": workers, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options, silence_logs=50) as started:
        yield started.scheduler_address


def same(one: Counts, other: Counts) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_each_name_is_in_one_shard(size: int, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "SHARD", size)
    monkeypatch.setattr(names, "BLOCK", 5)
    (tmp_path / "f").write_text("emma\nzoé\nannabella\nava" + end)
    found = [text for shard in shards(tmp_path / "f") for text in shard.blocks()]
    assert names.to_string(np.concatenate(found)) == "emma\nzoé\nannabella\nava\n"


def test_workers_give_the_bytes_of_one_process(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = count_file(PARAMS, path, VOCAB)
    for workers in 1, 2, 4:
        with running(workers) as address, monkeypatch.context() as patch:
            patch.setenv(cluster.ADDRESS, address)
            assert same(count_file(PARAMS, path, VOCAB), plain)


def killed_once(flag: Path, shard: Shard) -> Counts:
    """Count a shard, but the first time kill this process."""
    if not flag.exists() and shard.start >= 700:
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return count_shard(PARAMS, VOCAB, shard)


@pytest.mark.slow
def test_a_killed_worker_costs_no_count(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = count_file(PARAMS, path, VOCAB)
    flag = tmp_path / "killed"
    monkeypatch.setenv(cluster.WORKERS, "2")
    found = reduce_shards(path, partial(killed_once, flag), merge)
    assert flag.exists() and same(found, plain)


@pytest.mark.slow
def test_two_stages_can_have_a_cluster_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cluster.WORKERS, "1")
    with cluster.connected() as one, cluster.connected() as other:
        assert one.submit(len, "ab").result() + other.submit(len, "abc").result() == 5


def test_the_stages_on_a_cluster(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "SHARD", 50)
    stages = ["fit_ngram", "bigram"], ["tune_ngram", "trigram_tuned"], ["evaluate", "bigram"]
    written = ["models/bigram.safetensors", "models/trigram_tuned.safetensors", "metrics/losses/bigram.json"]
    for stage in "clean", "vocab", "split":
        assert run(stage).exit_code == 0
    found = []
    with running(2) as address:
        for place in "", address:
            monkeypatch.setenv(cluster.ADDRESS, place)
            assert [run(*stage).exit_code for stage in stages] == [0] * 3
            found.append([(folder / file).read_bytes() for file in written])
    assert found[0] == found[1]


def test_a_list_on_another_file_system(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    with fsspec.open("memory://bucket/names.txt", "wb") as file:
        file.write(path.read_bytes())
    remote = Path("memory://bucket/names.txt")
    assert np.array_equal(names.read(remote), LISTED)
    with running(2) as address:
        monkeypatch.setenv(cluster.ADDRESS, address)
        assert same(count_file(PARAMS, remote, VOCAB), count_file(PARAMS, path, VOCAB))
    with pytest.raises(FileNotFoundError) as error:
        names.read(Path("memory://bucket/absent.txt"))
    assert error.value.filename == "memory://bucket/absent.txt"
    with pytest.raises(ValueError, match=r"^foo://names.txt: Protocol not known: foo$"):
        names.read(Path("foo://names.txt"))


@pytest.mark.parametrize("content", ["", "\n", "\n\r\n"])
def test_a_list_without_names(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_text(content)
    with running(1) as address, pytest.raises(ValueError, match=r"f: expected one name per line, found no name$"):
        monkeypatch.setenv(cluster.ADDRESS, address)
        count_file(PARAMS, tmp_path / "f", VOCAB)


def test_shards_inside_one_long_name_are_empty(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("ava\n" + "x" * 50 + "\nmia\n")
    found = [list(Shard(tmp_path / "f", start, start + 10).blocks()) for start in (0, 10, 20, 50)]
    assert [len(blocks) for blocks in found] == [2, 0, 0, 1]


@pytest.mark.parametrize("workers", ["0", "many", "-1"])
def test_a_wrong_number_of_workers(workers: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cluster.WORKERS, workers)
    with pytest.raises(ValueError, match=f"MAKEMORE_CLUSTER: expected a number of worker processes, got '{workers}'"):
        count_file(PARAMS, path, VOCAB)
