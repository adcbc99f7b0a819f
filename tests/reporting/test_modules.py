"""The page's modules as one script."""

from pathlib import Path

import pytest

from makemore.reporting.modules import joined


def test_modules_are_joined_in_the_order_of_their_imports(tmp_path: Path) -> None:
    (tmp_path / "base.js").write_text("export const one = 1;\nexport function two() {\n  return 2;\n}\nlet own = 0;\n")
    (tmp_path / "a.js").write_text('import { one, two } from "./base.js";\nlet own = one + two();\n')
    (tmp_path / "b.js").write_text('import {\n  one,\n} from "./base.js";\nimport "./a.js";\nexport class B {}\n')
    script = joined([tmp_path / "a.js", tmp_path / "b.js"])
    assert script.count("export const") == script.count("import ") == 0 and script.count("const one = 1;") == 1
    assert "return { one, two };" in script and "const { one, two } = module0;\nlet own = one + two();" in script
    assert "const {\n  one,\n} = module0;\nclass B {}" in script and script.count("let own") == 2


def test_what_cannot_be_joined_is_named(tmp_path: Path) -> None:
    for name, text in (("cycle.js", 'import "./cycle.js";\n'), ("form.js", 'import all from "./base.js";\n')):
        (tmp_path / name).write_text(text)
        with pytest.raises(AssertionError, match=name):
            joined([tmp_path / name])
