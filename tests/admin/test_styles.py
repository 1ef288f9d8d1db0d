"""What is styled is somewhere on a page: rules that outlive their page mislead whoever changes the next."""

import re
from pathlib import Path

import integrity

PACKAGE = Path(integrity.__file__).parent
CLASS = re.compile(r"\.integrity-([a-z0-9-]*[a-z0-9])")


def _text(*endings: str) -> str:
    found = (path for path in PACKAGE.rglob("*") if path.suffix in endings)
    return "\n".join(path.read_text(encoding="utf-8") for path in found)


def test_every_class_that_is_styled_is_on_a_page() -> None:
    pages = _text(".py", ".html", ".js")
    whole = set(re.findall(r"integrity-([a-z0-9-]*[a-z0-9])(?![a-z0-9-])", pages))
    words = {word.replace("_", "-") for word in re.findall(r"[\"']([a-z_-]+)[\"' ]", pages)}
    made = sorted(set(re.findall(r"integrity-([a-z0-9-]*)\{", pages)))
    told = whole | {beginning + word for beginning in made for word in words}
    styled = set(CLASS.findall(_text(".css")))
    assert {name for name in styled - told if not re.fullmatch(r"(level|graph)-\d+", name)} == set()
