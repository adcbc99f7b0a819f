"""Score names with a model. This is not a pipeline stage; it writes no file."""

import os
import sys
from pathlib import Path
from typing import Annotated

from _stage import ModelName, ModelPath, command

import typer

from makemore.core import names
from makemore.core.model import read_model
from makemore.core.names import Text
from makemore.core.progress import progress
from makemore.core.terminal import screen
from makemore.evaluation import scoring
from makemore.evaluation.losses import token_nlls
from makemore.lists import cleaning
from makemore.lists.cleaning import CleanParams


def main(
    name: ModelName,
    params: CleanParams,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="names to score; - reads standard input")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="score the names in this file, one per line")] = None,
    per_character: Annotated[
        bool, typer.Option("--per-character", help="also show the probability of each character and of the end, `.`")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="write JSON Lines, one object per name; infinite values are Infinity")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="write CSV, also to a terminal: one line per name, or per character")
    ] = False,
    model: ModelPath = None,
) -> None:
    """Score names: log-likelihood, mean negative log-likelihood (NLL) and perplexity of each.

    Names come from the arguments, a file or standard input. They are cleaned with the same rules as the training list;
    invalid names are rejected. Losses are in nats per predicted token; the end of a name is a token.

    On a terminal the output is a table, green for what is more likely than under a uniform distribution and red for
    what is less likely. Control and formatting characters are escaped. Other output is CSV with the exact names, in
    UTF-8. A summary of all names goes to standard error.
    """
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other")
    text, source = read(arguments or [], file, params)
    scorer, vocab = read_model(model or Path(f"models/{name}.safetensors"))
    tokens = vocab.encode(text, source)
    with progress(f"score with {name}", len(tokens), "tokens") as update:
        nlls = token_nlls(scorer, tokens, update)
    rows = scoring.rows(tokens, nlls, vocab)
    if as_json:
        scoring.write_json(screen(sys.stdout), rows, per_character)
    elif as_csv or not sys.stdout.isatty():
        scoring.write_csv(screen(sys.stdout), rows, per_character)
    else:
        scoring.write_table(sys.stdout, rows, per_character, len(vocab))
    if names.count(text) > 1:
        sys.stdout.flush()
        print(scoring.total(tokens, nlls), file=sys.stderr)


def read(arguments: list[str], file: Path | None, params: CleanParams) -> tuple[Text, str]:
    """The names to score, and their source for error messages."""
    if arguments and file:
        raise typer.BadParameter("names and --file exclude each other")
    if file:
        return cleaning.clean(file.read_bytes(), str(file), params), str(file)
    if not arguments and sys.stdin.isatty():
        raise typer.BadParameter("no names; give them as arguments, with --file, or on standard input")
    if not arguments or arguments == ["-"]:
        source = "standard input"
        return cleaning.clean(sys.stdin.buffer.read(), source, params), source
    if "" in arguments:  # would be ignored as a trailing blank line
        raise ValueError(f"{names.place(names.ARGUMENT, arguments.index('') + 1)}: empty name")
    return cleaning.clean(os.fsencode("\n".join(arguments)), names.ARGUMENT, params), names.ARGUMENT


app = command(main, params="clean")
if __name__ == "__main__":
    app()
