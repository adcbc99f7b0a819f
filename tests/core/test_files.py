import math
import os
from pathlib import Path

import numpy as np
import pytest

from makemore.core import files


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_bytes(path, b"before")
    with pytest.raises(RuntimeError), files.replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_replaces_the_file_and_not_its_content(tmp_path: Path) -> None:
    """A hard link, which is what DVC's cache may be, keeps what it had."""
    path, cached = tmp_path / "file", tmp_path / "cached"
    files.write_bytes(path, b"before")
    cached.hardlink_to(path)
    files.write_bytes(path, b"after")
    assert (path.read_bytes(), cached.read_bytes()) == (b"after", b"before")


def test_json_is_rounded_and_may_be_infinite_but_not_nan(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    files.write_json(path, {"nll": 2.123456789, "names": 3, "dev": {"nll": math.inf}})
    assert files.read_json(path) == {"nll": 2.123457, "names": 3, "dev": {"nll": math.inf}}
    with pytest.raises(ValueError, match=r"metrics.json: dev: nll: expected a number, got NaN"):
        files.write_json(path, {"dev": {"nll": math.nan}})
    assert files.read_json(path)["names"] == 3


def test_csv_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    files.write_csv(path, ("step", "loss"), [(1, 2.123456789), (2, 1e-9)])
    assert path.read_text() == "step,loss\n1,2.12346\n2,1e-09\n"
    assert {name: column.tolist() for name, column in files.read_csv(path).items()} == {
        "step": [1, 2],
        "loss": [2.12346, 1e-9],
    }
    path.write_text("step,loss\n1\n")
    with pytest.raises(ValueError, match=r"curve.csv: expected columns of numbers"):
        files.read_csv(path)


def test_csv_quotes_what_needs_it(tmp_path: Path) -> None:
    files.write_csv(tmp_path / "f", ("character", "count"), [(",", 1), ('"', 2)])
    assert (tmp_path / "f").read_text() == 'character,count\n",",1\n"""",2\n'


def test_safetensors_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    arrays = {name: np.arange(3.0) for name in "dacb"}
    metadata = dict.fromkeys("zyxwvut", 1)
    for copy in "12":
        files.write_safetensors(tmp_path / copy, arrays, metadata)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    read, found = files.read_safetensors(tmp_path / "1")
    assert found == metadata and sorted(read) == sorted(arrays)


def test_a_model_file_that_holds_a_pickle_runs_nothing(tmp_path: Path) -> None:
    import pickle

    class Attack:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "attacked"),)

    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Attack()))
    with pytest.raises(ValueError, match=r"model.safetensors: expected a safetensors file"):
        files.read_safetensors(path)
    assert not (tmp_path / "attacked").exists()


def test_a_foreign_safetensors_file_is_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(2)}, tmp_path / "model")
    with pytest.raises(ValueError, match="expected a model of this project, found no 'makemore' in its metadata"):
        files.read_safetensors(tmp_path / "model")


@pytest.mark.parametrize("content", ["", "{", "\xff", "[" * 100_000])
def test_bad_json_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "f.json").write_text(content)
    with pytest.raises(ValueError, match=r"f.json: expected JSON") as error:
        files.read_json(tmp_path / "f.json")
    assert "\n" not in str(error.value)


def test_what_is_no_file_is_written_to_itself(tmp_path: Path) -> None:
    """As root, `--output /dev/null` took that away from the whole machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    files.write_bytes(pipe, b"emma\n")
    assert os.read(reader, 100) == b"emma\n" and pipe.is_fifo()
    os.close(reader)
