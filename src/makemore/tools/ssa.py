"""Read the baby names of the U.S. Social Security Administration: a file `yobYYYY.txt` per year, with rows
`Name,Sex,Births`.
"""

import csv
from pathlib import Path

from makemore.core import names
from makemore.core.names import Text


def read(yob: Path, drop: Path | None = None) -> Text:
    """The names of a year in lower case, in the order of the file. Names given to both sexes appear twice.

    Args:
        drop: a CSV file with the header `name,sex` that lists rows to leave out.

    Raises:
        OSError: a file cannot be read.
        ValueError: a row has the wrong number of columns, or a row of `drop` is not in the year.
    """
    year = _rows(yob, columns=3)
    dropped = set(_rows(drop, columns=2)[1:]) if drop else set()
    missing = dropped - {row[:2] for row in year}
    if missing:
        raise ValueError(f"{drop}: {', '.join(sorted(missing)[0])} is not in {yob}")
    kept = [row[0].lower() for row in year if row[:2] not in dropped]
    return names.parse("".join(f"{name}\n" for name in kept).encode(), str(yob))


def _rows(path: Path, columns: int) -> list[tuple[str, ...]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [tuple(row) for row in csv.reader(file)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: not a CSV file: {error}") from None
    for line, row in enumerate(rows, start=1):
        if len(row) != columns:
            raise ValueError(f"{path}:{line}: expected {columns} columns, found {len(row)}")
    return rows
