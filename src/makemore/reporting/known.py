"""The distinct train names as one short string, so that the page can tell which names are new."""

from makemore.core import names
from makemore.core.names import Text

MAX_CHARACTERS = 400_000  # of longer lists, the page holds no names
MAX_SHARED = 43  # characters that a name may share with the one before it: its code is a character from `0` to `[`


def front_coded(train: Text) -> str | None:
    """Sort the names and write each as what it shares with the one before, and the rest.

    Returns:
        One line per name: the number of shared characters, as the character `chr(48 + number)`, and the other
        characters. None if the list is too long for the page.
    """
    if len(train) > 3 * MAX_CHARACTERS:
        return None
    lines, last = [], ""
    for name in sorted(set(names.to_string(train).rstrip("\n").split("\n"))):
        shared = 0
        while shared < min(len(last), len(name), MAX_SHARED) and last[shared] == name[shared]:
            shared += 1
        lines.append(chr(48 + shared) + name[shared:])
        last = name
    coded = "\n".join(lines)
    return coded if len(coded) <= MAX_CHARACTERS else None
