"""How probable names are to a model. Not a stage of the pipeline: it writes no file."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from _stage import ModelName, ModelPath, command
from makemore.core import names
from makemore.core.model import read_model
from makemore.core.names import Text
from makemore.core.progress import progress
from makemore.evaluation import scoring
from makemore.evaluation.losses import token_nlls
from makemore.lists import cleaning
from makemore.lists.cleaning import CleanParams


def main(
    name: ModelName,
    params: CleanParams,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="to score; a single - is standard input")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="score the names of this file, one a line")] = None,
    per_character: Annotated[
        bool, typer.Option("--per-character", help="the probability of each character too, and of the end, `.`")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON Lines, one object a name; what is infinite is Infinity")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="CSV, also on a terminal: a line a name, or a character with --per-character")
    ] = False,
    model: ModelPath = None,
) -> None:
    """Score names: log-likelihood, mean negative log-likelihood (NLL) and perplexity of each.

    Names come as arguments, from a file or from standard input, and are cleaned as the list was: what is no name there
    is none here.
    Losses are in nats a predicted token, and the end of a name is one. A terminal shows a table, green where a model
    finds something likelier than if all characters were equally likely, red where less; elsewhere it is CSV. The
    figures of all names together go to standard error.
    """
    if as_json and as_csv:
        raise typer.BadParameter("expected one of --json and --csv, got both")
    text, source = read(arguments or [], file, params)
    scorer, vocab = read_model(model or Path(f"models/{name}.safetensors"))
    tokens = vocab.encode(text, source)
    with progress(f"score with {name}", len(tokens), "tokens") as update:
        nlls = token_nlls(scorer, tokens, update)
    rows = scoring.rows(tokens, nlls, vocab)
    if as_json:
        scoring.write_json(sys.stdout, rows, per_character)
    elif as_csv or not sys.stdout.isatty():
        scoring.write_csv(sys.stdout, rows, per_character)
    else:
        scoring.write_table(sys.stdout, rows, per_character, len(vocab))
    if names.count(text) > 1:
        sys.stdout.flush()
        print(scoring.total(tokens, nlls), file=sys.stderr)


def read(arguments: list[str], file: Path | None, params: CleanParams) -> tuple[Text, str]:
    """The names to score, and what errors call their source."""
    if arguments and file:
        raise typer.BadParameter("expected names or --file, got both")
    if file:
        return cleaning.clean(file.read_bytes(), str(file), params), str(file)
    if not arguments and sys.stdin.isatty():
        raise typer.BadParameter("expected names, --file FILE, or names piped in")
    if not arguments or arguments == ["-"]:
        source = "standard input"
        return cleaning.clean(sys.stdin.buffer.read(), source, params), source
    if "" in arguments:  # at the end of a file it would be a blank line, which is no fault
        raise ValueError(f"{names.place(names.ARGUMENT, arguments.index('') + 1)}: expected a name, found none")
    return cleaning.clean(os.fsencode("\n".join(arguments)), names.ARGUMENT, params), names.ARGUMENT


app = command(main, params="clean")
if __name__ == "__main__":
    app()
