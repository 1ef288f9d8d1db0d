"""Values that people take for the same one have the same normal form on every engine; others do not."""

import pytest

from integrity.database.session import Target
from integrity.database.spelling import Form
from tests.servers import EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

UUID = "6b47cbac-9009-42e3-9a37-b1106bf0cba0"
BARE = UUID.replace("-", "")


def spelled(value: object, form: Form = Form.NORMAL) -> str:
    with Target("target").reading() as session:
        sql = "%s::text" if session.vendor == "postgresql" else "%s"
        normal = session.engine.spelled("v", form)
        found = session.value(f"SELECT {normal} FROM (SELECT {sql} AS v) s", [value])
    return str(found)


@pytest.mark.parametrize(
    ("value", "normal"),
    [
        (UUID, BARE),
        (UUID.upper(), BARE),
        (f" {{{UUID}}}\n", BARE),
        (f"urn:uuid:{UUID}", BARE),
        (BARE, BARE),
        ("Alice\t", "alice"),
        ("0042", "42"),
        ("42.00", "42"),
        ("000", "0"),
        ("4.20", "4.20"),
        ("1.0.0", "1.0.0"),
        ("10", "10"),
        ("a-b", "a-b"),
        ("{a}", "{a}"),
        ("", ""),
    ],
)
def test_a_value_has_one_normal_form(empty_target: EmptyTarget, value: str, normal: str) -> None:
    assert spelled(value) == normal


@pytest.mark.parametrize(("form", "expected"), [(Form.TRIMMED, "A-0"), (Form.FOLDED, "a-0")])
def test_a_weaker_form_takes_less_away(empty_target: EmptyTarget, form: Form, expected: str) -> None:
    assert spelled(" A-0 ", form) == expected
