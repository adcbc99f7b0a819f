"""Write the HTML template of `dvc plots`, with Vega's JavaScript embedded.

DVC's own template loads it from the network. Figures that are interactive charts too are shown once, as charts. This is
not a pipeline stage.
"""

from pathlib import Path
from typing import Annotated

from _stage import command

import typer

from makemore.core.files import write_bytes

VEGA_LITE = "5.21"  # DVC's plot templates use version 5
# Figures that `dvc plots` draws as charts, and so does not show as PNG
CHARTS = [
    "bigram_counts",
    "embedding",
    "find_lr",
    "initialization",
    "inside_training",
    "loss_curves",
    "models",
    "smoothing",
]

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
HIDDEN { display: none !important; }
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


def main(output: Annotated[Path, typer.Option(help="template to write")] = Path(".dvc/plots.html")) -> None:
    """Write the template. To use it, run `dvc config --local plots.html_template plots.html`."""
    try:
        import vl_convert
    except ModuleNotFoundError:
        raise ValueError("the package vl-convert-python is missing: pip install '.[dev]'") from None
    hidden = ", ".join(f'body > div:has(img[src*="metrics_figures_{name}.png"])' for name in CHARTS)
    vega = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE)
    write_bytes(output, PAGE.replace("HIDDEN", hidden).replace("VEGA", vega).encode())


app = command(main)
if __name__ == "__main__":
    app()
