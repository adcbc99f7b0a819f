"""Export a network to ONNX, for other programs. This is not a pipeline stage; nothing depends on its output."""

from pathlib import Path
from typing import Annotated

from _stage import ModelName, ModelPath, command

import typer

from makemore.core.files import write_bytes
from makemore.core.model import read_model


def main(
    name: ModelName,
    model: ModelPath = None,
    output: Annotated[Path | None, typer.Option(help="ONNX file to write", show_default="models/MODEL.onnx")] = None,
) -> None:
    """Export a network to ONNX. docs/formats.md describes the inputs and outputs of the graph."""
    try:
        from makemore.tools import onnx_export
    except ModuleNotFoundError as error:
        raise ValueError(f"the package {error.name} is missing: pip install '.[onnx]'") from None
    network, vocab = read_model(model or Path(f"models/{name}.safetensors"))
    path, content = output or Path(f"models/{name}.onnx"), onnx_export.export(network, vocab)
    write_bytes(path, content)
    print(f"{path}: {network.parameter_count:,} parameters, {len(content) / 1e6:.1f} MB")


app = command(main)
if __name__ == "__main__":
    app()
