"""The structure of the library."""

import ast

from checkout import ROOT

PACKAGES = ["core", "lists", "nn", "models", "training", "search", "evaluation", "sampling", "reporting", "tools"]


def test_packages_import_in_one_direction() -> None:
    """Each package imports itself and those before it in this list; evaluation and sampling ignore each other."""
    wrong = []
    for file in sorted((ROOT / "src/makemore").rglob("*.py")):
        package = file.relative_to(ROOT / "src/makemore").parts[0]
        for node in ast.walk(ast.parse(file.read_text())):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                if module.startswith("makemore"):
                    other = module.split(".")[1]
                    if PACKAGES.index(other) > PACKAGES.index(package) or {other, package} == {
                        "evaluation",
                        "sampling",
                    }:
                        wrong.append(f"{file.relative_to(ROOT)} imports {module}")
    assert not wrong, "\n".join(wrong)
