"""Errors are read wherever somebody copied them from, and nothing else is taken for one."""

import pytest

from integrity.exceptions import NotExplainable
from integrity.explaining.reported import ErrorKind
from integrity.explaining.wording import read

MISSING = (
    'insert or update on table "orders" violates foreign key constraint "fk_orders_user_id"',
    'Key (user_id)=(6b47cbac-9009-42e3-9a37-b1106bf0cba0) is not present in table "profiles".',
)
FORMS = {
    "as the dashboard of Supabase shows it": f"ERROR:  23503: {MISSING[0]}\n{MISSING[1]}",
    "psql": f"psql:fix.sql:3: ERROR:  {MISSING[0]}\nDETAIL:  {MISSING[1]}",
    "a server's log": f"2026-03-01 12:00:00 UTC [7] ERROR:  {MISSING[0]}\n"
    f"2026-03-01 12:00:00 UTC [7] DETAIL:  {MISSING[1]}\n2026-03-01 12:00:00 UTC [7] STATEMENT:  ALTER TABLE",
    "Django": f"django.db.utils.IntegrityError: {MISSING[0]}\nDETAIL:  {MISSING[1]}\n",
    "the JSON of an API": '{"code": "23503", "details": "Key (user_id)=(6b47cbac-9009-42e3-9a37-b1106bf0cba0)'
    ' is not present in table \\"profiles\\".", "message": "insert or update on table \\"orders\\" violates '
    'foreign key constraint \\"fk_orders_user_id\\""}',
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_a_missing_parent_is_read_from_every_place(text: str) -> None:
    found = read(text)
    assert found.kind is ErrorKind.MISSING_PARENT
    assert (found.constraint, found.table) == ("fk_orders_user_id", "orders")
    assert (found.keys, found.values) == ("user_id", "6b47cbac-9009-42e3-9a37-b1106bf0cba0")
    assert found.referenced_table == "profiles"


def test_a_detail_alone_says_columns_and_parent() -> None:
    found = read(MISSING[1])
    assert (found.kind, found.table) == (ErrorKind.MISSING_PARENT, "")
    assert (found.keys, found.referenced_table) == ("user_id", "profiles")


def test_without_the_right_to_read_it_a_row_is_not_named() -> None:
    found = read(f'{MISSING[0]}\nDETAIL:  Key is not present in table "profiles".')
    assert (found.keys, found.values, found.referenced_table) == ("", "", "profiles")


def test_a_value_may_hold_anything() -> None:
    found = read(f'{MISSING[0]}\nDETAIL:  Key (user_id)=(a)b, "c"\nd) is not present in table "profiles".')
    assert found.values == 'a)b, "c"\nd'


def test_names_with_spaces_are_read_whole() -> None:
    found = read(
        'update or delete on table "Old Users" violates foreign key constraint "fk one" on table "My Rows"\n'
        'DETAIL:  Key (a, b)=(1, 2) is still referenced from table "My Rows".'
    )
    assert found.kind is ErrorKind.STILL_REFERENCED
    assert (found.referenced_table, found.constraint, found.table) == ("Old Users", "fk one", "My Rows")
    assert (found.keys, found.values) == ("a, b", "1, 2")


def test_what_sqlite_says_is_read_with_the_shells_words_around_it() -> None:
    assert read("Runtime error near line 3: FOREIGN KEY constraint failed (19)").kind is ErrorKind.FOREIGN_KEY
    unique = read("sqlite3.IntegrityError: UNIQUE constraint failed: users.store_id, users.email")
    assert (unique.kind, unique.table, unique.columns) == (
        ErrorKind.DUPLICATE,
        "users",
        ("store_id", "email"),
    )
    index = read("Error: stepping, UNIQUE constraint failed: index 'users_lower_email' (19)")
    assert (index.kind, index.constraint) == (ErrorKind.DUPLICATE, "users_lower_email")
    mismatch = read('Parse error: foreign key mismatch - "orders" referencing "customers"')
    assert (mismatch.kind, mismatch.table, mismatch.referenced_table) == (
        ErrorKind.UNUSABLE_KEY,
        "orders",
        "customers",
    )


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("", "There is no text"),
        ("  \n ", "There is no text"),
        ("Everything is fine.", "no error about a reference"),
        ('null value in column "a" of relation "t" violates not-null constraint', "must not be NULL"),
        ("NOT NULL constraint failed: orders.note", "must not be NULL"),
        ('new row for relation "t" violates check constraint "positive"', "a check"),
        ("CHECK constraint failed: positive", "a check"),
        ('conflicting key value violates exclusion constraint "no_overlap"', "an exclusion constraint"),
        ('relation "orders" does not exist', "no error about a reference"),
    ],
)
def test_another_text_is_refused_with_what_it_is_about(text: str, about: str) -> None:
    with pytest.raises(NotExplainable) as refused:
        read(text)
    assert about in str(refused.value)
    assert len(str(refused.value)) < 500


def test_djangos_own_refusal_to_delete_is_told_in_the_names_of_the_database() -> None:
    refusal = (
        "(\"Cannot delete some instances of model 'Target' because they are referenced through protected "
        "foreign keys: '{0}'.\", {{<AuditRun: AuditRun object (1)>}})"
    )
    found = read(refusal.format("AuditRun.target"))
    assert (found.kind, found.table, found.columns, found.referenced_table) == (
        ErrorKind.STILL_REFERENCED,
        "integrity_auditrun",
        ("target_id",),
        "integrity_target",
    )
    with pytest.raises(NotExplainable):
        read(refusal.format("Nobody.target"))
