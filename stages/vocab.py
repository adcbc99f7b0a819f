"""The vocabulary of the names."""

from pathlib import Path

from _stage import NamesPath, VocabPath, command
from makemore.core import names
from makemore.core.vocab import Vocab

SHOWN = 100  # characters


def main(names_file: NamesPath = Path("data/clean.txt"), vocab: VocabPath = Path("data/vocab.json")) -> None:
    """Give each character of the names an id: 0 is the boundary, `.`, before and after each name."""
    made = Vocab.of(names.read(names_file))
    made.write(vocab)
    more = " ..." if len(made) > SHOWN else ""
    print(f"{vocab}: {len(made)} tokens, {' '.join(made.itos[:SHOWN])}{more}")


app = command(main)
if __name__ == "__main__":
    app()
