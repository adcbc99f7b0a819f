"""The baby names of the U.S. Social Security Administration, one file a year: `yobYYYY.txt`, rows `Name,Sex,Births`."""

import csv
from pathlib import Path

from makemore.core import names
from makemore.core.names import Text


def read(yob: Path, drop: Path | None = None) -> Text:
    """The names of a year, in the file's order and in lower case; one that both sexes bear stands twice.

    Args:
        drop: a CSV file with the header `name,sex`: rows of the year to leave out.

    Raises:
        OSError: a file cannot be read.
        ValueError: a row is not of the form; the message gives file and line. Or a row of `drop` is not in the year.
    """
    year = _rows(yob, columns=3)
    dropped = set(_rows(drop, columns=2)[1:]) if drop else set()
    missing = dropped - {row[:2] for row in year}
    if missing:
        raise ValueError(f"{drop}: expected rows of {yob}, found {', '.join(sorted(missing)[0])}, which is not in it")
    kept = [row[0].lower() for row in year if row[:2] not in dropped]
    return names.parse("".join(f"{name}\n" for name in kept).encode(), str(yob))


def _rows(path: Path, columns: int) -> list[tuple[str, ...]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [tuple(row) for row in csv.reader(file)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: expected rows of {columns} columns, found something else ({error})") from None
    for line, row in enumerate(rows, start=1):
        if len(row) != columns:
            raise ValueError(f"{path}:{line}: expected {columns} columns, found {len(row)}")
    return rows
