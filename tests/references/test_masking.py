"""What an error says without the values of rows that it names."""

import pytest

from integrity.references.masking import without_values


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("duplicate key\nDETAIL:  Key (a)=(x\nHINT: secret) exists.\nCONTEXT:  secret", "duplicate key"),
        ('invalid input syntax for type integer: "se"cr\net"', "invalid input syntax for type integer: …"),
        ('invalid input value for enum mood: "secret"', "invalid input value for enum mood: …"),
        ('date/time field value out of range: "secret"', "date/time field value out of range: …"),
        ('value "secret" is out of range for type integer', "value … is out of range for type integer"),
        (
            "2 values of a.b stand in 1,004 rows: secret in 1,000 rows",
            "2 values of a.b stand in 1,004 rows …",
        ),
        ('relation "orders" does not exist', 'relation "orders" does not exist'),
    ],
)
def test_values_of_rows_are_left_out(said: str, left: str) -> None:
    assert without_values(said) == left
