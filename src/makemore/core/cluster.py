"""Work on the shards of a long list with Dask, on this machine or on others.

Where it runs comes from the environment, never from the params, since it does not change the result:

- `DASK_SCHEDULER_ADDRESS`: the address of a running cluster. Its workers have this package, and see the same files.
- `MAKEMORE_CLUSTER`: the number of worker processes to start on this machine, if there is no such address.

A worker that dies costs time only: what it had not finished is done again by another.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

from makemore.core import names
from makemore.core.arithmetic import THREADS
from makemore.core.files import open_binary, size_of
from makemore.core.names import Text

R = TypeVar("R")

ADDRESS, WORKERS = "DASK_SCHEDULER_ADDRESS", "MAKEMORE_CLUSTER"
INSTALL = "run pip install '.[cluster]'"
SHARD = 1 << 24  # bytes


class Shard(NamedTuple):
    """The lines of a file that begin in a range of bytes."""

    path: Path
    start: int
    stop: int

    @property
    def source(self) -> str:
        """What error messages start with; they count the lines of the shard."""
        return f"{self.path}, from byte {self.start:,}" if self.start else str(self.path)

    def blocks(self) -> Iterator[Text]:
        """The names, in blocks. Raises like `names.blocks`."""
        with open_binary(self.path) as file:
            size = file.seek(0, os.SEEK_END)
            start, stop = (_next_line(file, place) for place in (self.start, self.stop))
            file.seek(start)
            chunks = (file.read(min(names.BLOCK, stop - place)) for place in range(start, stop, names.BLOCK))
            for lines in names.split_lines(chunks, last=stop == size):
                blank_end = self.start > 0 and lines.last and not lines.content.strip()
                if lines.content and not blank_end:  # a long line, or blank lines at the end, leave a shard empty
                    yield names.parse(lines, self.source)


def _next_line(file: BinaryIO, place: int) -> int:
    """The first place at or after this one where a line begins."""
    if place == 0:
        return 0
    file.seek(place - 1)
    return place - 1 + len(file.readline())


def shards(path: Path) -> list[Shard]:
    """A file in shards of `SHARD` bytes. They do not depend on the number of workers. Raises OSError like `open`."""
    size = size_of(path)
    return [Shard(path, start, min(start + SHARD, size)) for start in range(0, size, SHARD)]


def is_wanted() -> bool:
    """Whether the environment asks for a cluster."""
    return bool(os.environ.get(ADDRESS) or os.environ.get(WORKERS))


def reduce_shards(path: Path, work: Callable[[Shard], R], merge: Callable[[R, R], R]) -> R:
    """Do some work on each shard of a file, and merge the results as a tree, neighbours first.

    Raises:
        ValueError: the file is empty, Dask is not installed, the environment is wrong, or the work raises it.
    """
    parts = shards(path)
    if not parts:
        raise ValueError(names.empty(str(path)))
    with connected() as client:
        results = client.map(work, parts)
        while len(results) > 1:
            pairs = zip_longest(results[::2], results[1::2])
            results = [client.submit(merge, one, other) if other else one for one, other in pairs]
        found: R = results[0].result()
        return found


@contextmanager
def connected() -> Iterator[Any]:
    """A client of the cluster that the environment names, or of one that is started for the `with` block."""
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise ValueError(f"{ADDRESS if os.environ.get(ADDRESS) else WORKERS}: Dask is missing; {INSTALL}") from None
    if address := os.environ.get(ADDRESS):
        try:
            client = distributed.Client(address)
        except (OSError, ValueError) as error:
            raise ValueError(f"{ADDRESS}: no cluster at {address!r}: {error}") from None
        with client:
            yield client
        return
    workers = os.environ[WORKERS]
    if not workers.isdecimal() or int(workers) < 1:
        raise ValueError(f"{WORKERS}: expected a number of worker processes, got {workers!r}")
    # Dask would let glibc return each array to the system, which took as much time as counting.
    environment = {"distributed.nanny.pre-spawn-environ": dict(THREADS)}
    with (
        import_module("dask.config").set(environment),
        distributed.LocalCluster(
            n_workers=int(workers),
            threads_per_worker=1,
            dashboard_address=":0",  # any free port, since several stages can run at a time
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
