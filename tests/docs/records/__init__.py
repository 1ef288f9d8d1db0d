"""What the record of each system asks for, item by item, and which line of docs/systems.md answers it.

``<system>.txt`` beside this has a line for each heading, table row and list item of the record: a digest of
it, and the heading or first cell in the system's section. The records themselves are not shipped; where
they are at hand, ``python -m tests.docs.records SYSTEM FILE`` says which of their items have no line.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent
SYSTEMS = sorted(path.stem for path in FOLDER.glob("*.txt"))
_RULE = re.compile(r"\|[\s:|-]+\|")
_ITEM = re.compile(r"#+ |[-*] |\d+\. ")


def answers(system: str) -> dict[str, str]:
    """The line of docs/systems.md for each item, by the item's digest."""
    lines = (FOLDER / f"{system}.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("  ", 1) for line in lines)


def items(record: str) -> Iterator[str]:
    """Every heading, row and list item of a record, outside of its code; not the headers of its tables."""
    fenced, lines = False, [line.strip() for line in record.splitlines()]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and _is_item(line, following):
            yield line


def _is_item(line: str, following: str) -> bool:
    if line.startswith("|"):
        return not (_RULE.fullmatch(line) or _RULE.fullmatch(following))
    return bool(_ITEM.match(line))


def digest(item: str) -> str:
    """What an item is known by."""
    return sha256(" ".join(item.split()).encode()).hexdigest()[:10]


def unanswered(system: str, record: str) -> list[str]:
    """The items of a record that no line answers."""
    known = answers(system)
    return [item for item in items(record) if digest(item) not in known]
