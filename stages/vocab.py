"""Create the vocabulary of the names."""

from pathlib import Path

from _stage import NamesPath, VocabPath, command

from makemore.core import names
from makemore.core.terminal import visible
from makemore.core.vocab import Vocab

SHOWN = 100  # tokens printed


def main(names_file: NamesPath = Path("data/clean.txt"), vocab: VocabPath = Path("data/vocab.json")) -> None:
    """Assign an id to each character of the names. Id 0 is the boundary, `.`, before and after each name."""
    vocabulary = Vocab.of_blocks(names.blocks(names_file))
    vocabulary.write(vocab)
    more = " ..." if len(vocabulary) > SHOWN else ""
    print(visible(f"{vocab}: {len(vocabulary)} tokens, {' '.join(vocabulary.itos[:SHOWN])}{more}"))


app = command(main)
if __name__ == "__main__":
    app()
