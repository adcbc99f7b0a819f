"""The page's JavaScript: ES modules joined into one script, since a page opened from a folder cannot load modules.

Each module becomes a function that returns its exports. It runs after the modules that it imports.
"""

import re
from collections.abc import Iterable
from pathlib import Path

IMPORT = re.compile(r'^import (?:(\{[^}]*\}) from )?"(\.{1,2}/[^"]+)";\n', re.M)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const|let) (\w+))", re.M)


def joined(entries: Iterable[Path]) -> str:
    """Join modules and everything that they import, each once. Of imports, `{ a, b }` and none at all are supported."""
    parts: list[str] = []
    names: dict[Path, str | None] = {}  # None while the module's imports are being read

    def add(path: Path) -> str:
        if path in names:
            name = names[path]
            assert name is not None, f"{path} imports itself"
            return name
        names[path] = None
        text = path.read_text(encoding="utf-8")
        imports = [(match[1], add((path.parent / match[2]).resolve())) for match in IMPORT.finditer(text)]
        body = EXPORT.sub("", IMPORT.sub("", text))
        assert not re.search(r"^(import|export)\b", body, re.M), f"{path}: an import or export of another form"
        lines = [f"const {taken} = {name};\n" for taken, name in imports if taken]
        exports = ", ".join(EXPORT.findall(text))
        names[path] = f"module{len(parts)}"
        parts.append(f"const {names[path]} = (() => {{\n{''.join(lines)}{body}return {{ {exports} }};\n}})();\n")
        return f"module{len(parts) - 1}"

    for entry in entries:
        add(entry.resolve())
    return "".join(parts)
