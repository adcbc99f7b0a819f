"""The page that `dvc plots` fills in, vega's JavaScript within it: DVC's own loads that from a network. Not a stage."""

from pathlib import Path
from typing import Annotated

import typer

from _stage import command
from makemore.core.files import write_bytes

VEGA_LITE = "5.21"  # the templates of DVC are in version 5

PAGE = """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
{refresh_tag}
<title>DVC plots</title>
<style>
body { font-family: sans-serif; }
body > div { display: inline-block; vertical-align: top; margin: 12px; }
img { max-width: 46vw; }
</style>
<script>{
VEGA
}</script>
</head>
<body>
{plot_divs}
</body>
</html>
"""


def main(output: Annotated[Path, typer.Option(help="to write")] = Path(".dvc/plots.html")) -> None:
    """Write the page. `dvc config --local plots.html_template plots.html` has DVC take it."""
    try:
        import vl_convert
    except ModuleNotFoundError:
        raise ValueError("expected the package vl-convert-python, found none: pip install '.[dev]'") from None
    vega = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE)
    write_bytes(output, PAGE.replace("VEGA", vega).encode())


app = command(main)
if __name__ == "__main__":
    app()
