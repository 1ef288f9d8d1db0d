"""From classes of missing keys to causes: pure, and silent where the evidence is weak."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from integrity.references.causes.cause import Cause, Confidence, Kind
from integrity.references.causes.created import DAY, Span
from integrity.references.causes.parents import Parents, is_word
from integrity.references.causes.survey import MANY, Group, Survey
from integrity.references.causes.timeline import moment
from integrity.references.reference import Reference, written

FEWEST_TOGETHER = 5
"""Fewer rows than this are no import, however close they are."""
FEWEST_OLD = 10
"""Fewer missing keys than this are old by chance."""
NEARLY_ALL = 0.9
MOST_IMPORTS = 3
WRONG_REFERENCE = 0.8
"""Where more rows than this share break a reference, it is more likely wrong than its parents deleted."""


@dataclass(frozen=True)
class Facts:
    """What the rules go by. ``referring`` are the rows that refer to something at all, ``oldest`` those
    of the table's oldest tenth by bucket of time, where that was worth counting."""

    reference: Reference
    survey: Survey
    parents: Parents
    span: Span | None
    referring: int
    oldest: dict[int, int] = field(default_factory=dict)


def causes(facts: Facts) -> list[Cause]:
    """Returns the causes of all orphans, those that are certain first; what is left is unexplained."""
    old = oldest(facts)
    facts = replace(facts, survey=facts.survey.without(old))
    found = [*_certain(facts), *_deleted(facts)]
    rest = _rest(facts)
    for _ in range(MOST_IMPORTS):
        together = _together(rest, facts.span)
        if not together:
            break
        rest = [group for group in rest if group not in together]
        found.append(_import(together))
    rows = facts.survey.rows - sum(each.rows for each in found)
    keys = facts.survey.missing_keys - sum(each.missing_keys for each in found)
    found += [_before(facts, old)] if old else []
    return [*found, _remaining(facts, rest, rows, keys)] if rows else found


def _certain(facts: Facts) -> Iterator[Cause]:
    yield from _spelling(facts)
    yield from _sentinels(facts)
    yield from _owned(facts)
    yield from _elsewhere(facts)


def _named(facts: Facts, *names: str) -> list[Group]:
    return [group for group in facts.survey.groups if group.kind in names]


def _totals(groups: Sequence[Group]) -> tuple[int, int]:
    return sum(group.rows for group in groups), sum(group.keys for group in groups)


def _by_detail(groups: Sequence[Group]) -> dict[str, int]:
    """Rows by what stands behind the colon of a class, most first."""
    rows: dict[str, int] = {}
    for group in groups:
        rows[group.detail] = rows.get(group.detail, 0) + group.rows
    return dict(sorted(rows.items(), key=lambda each: (-each[1], each[0])))


def _spelling(facts: Facts) -> Iterator[Cause]:
    groups = _named(facts, "spelling")
    if groups:
        rows, keys = _totals(groups)
        examples = {
            name.partition(":")[2]: {"orphan": here, "parent": there}
            for name, (here, there) in facts.survey.examples.items()
            if name.startswith("spelling:")
        }
        evidence = {"differences": _by_detail(groups), "examples": examples}
        yield Cause(Kind.FORMAT_MISMATCH, rows, keys, evidence, Confidence.CERTAIN)


def _sentinels(facts: Facts) -> Iterator[Cause]:
    """Values that programs are known to write, and constants in words among keys that are none."""
    groups, words = _named(facts, "sentinel"), dict(_constants(facts))
    if groups or words:
        rows, keys = _totals(groups)
        values = list(_by_detail(groups))[:10] + list(words)
        rows, keys = rows + sum(words.values()), keys + len(words)
        yield Cause(Kind.SENTINEL, rows, keys, {"values": values}, Confidence.LIKELY)


def _constants(facts: Facts) -> Iterator[tuple[str, int]]:
    if facts.parents.plain or len(facts.reference.columns) > 1:
        return
    for each in facts.survey.top:
        if each.kind in ("many", "scattered") and each.rows >= MANY and is_word(each.key[0]):
            yield str(each.key[0]), each.rows


def _owned(facts: Facts) -> Iterator[Cause]:
    """The parent is there, but belongs to somebody else: the reference is composite for that reason."""
    groups = _named(facts, "owned")
    if groups:
        names = list(enumerate(facts.reference.columns))
        evidence = {
            "found_by": [name for at, name in names if at in facts.parents.alone],
            "differs": [name for at, name in names if at not in facts.parents.alone],
        }
        yield Cause(Kind.ANOTHER_OWNER, *_totals(groups), evidence, Confidence.CERTAIN)


def _elsewhere(facts: Facts) -> Iterator[Cause]:
    groups = _named(facts, "elsewhere")
    if groups:
        tables = {
            written(facts.parents.elsewhere[int(at)].name): rows for at, rows in _by_detail(groups).items()
        }
        yield Cause(Kind.ARCHIVED_PARENT, *_totals(groups), {"tables": tables}, Confidence.CERTAIN)


def _deleted(facts: Facts) -> Iterator[Cause]:
    inside, many = _totals(_named(facts, "inside")), _many(facts)
    rows, keys = inside[0] + many[0], inside[1] + many[1]
    if rows:
        evidence = {
            "inside_range": inside[0],
            "first": facts.parents.first,
            "last": facts.parents.last,
            "many_rows_per_key": many[0],
            "rows_per_key": round(rows / keys, 1),
        }
        yield Cause(Kind.PARENT_DELETED, rows, keys, evidence, Confidence.LIKELY)


def _many(facts: Facts) -> tuple[int, int]:
    """Keys that were in use over some time, without the constants among them."""
    rows, keys = _totals(_named(facts, "many"))
    if rows > WRONG_REFERENCE * facts.referring:
        return 0, 0
    constants = dict(_constants(facts))
    taken = [each.rows for each in facts.survey.top if each.kind == "many" and each.key[0] in constants]
    return rows - sum(taken), keys - len(taken)


def _rest(facts: Facts) -> list[Group]:
    """What only time can explain."""
    return _named(facts, "few", "beyond", "scattered")


def _together(rest: Sequence[Group], span: Span | None) -> list[Group]:
    """The groups of the densest stretch of time, where it is far denser than chance and narrow."""
    if span is None:
        return []
    candidates = [group for group in rest if group.kind in ("few", "beyond") and group.bucket is not None]
    rows: dict[int, int] = {}
    for group in candidates:
        rows[group.bucket or 0] = rows.get(group.bucket or 0, 0) + group.rows
    if not rows:
        return []
    peak = max(rows, key=lambda bucket: (rows[bucket], -bucket))
    buckets = _around(rows, peak)
    found = [group for group in candidates if group.bucket in buckets]
    return found if _is_narrow(found, sum(rows.values()), span) else []


def _around(rows: dict[int, int], peak: int) -> set[int]:
    """The buckets beside the fullest one that are not nearly empty beside it."""
    found = {peak}
    for step in (-1, 1):
        at = peak + step
        while rows.get(at, 0) >= max(2, rows[peak] / 10):
            found.add(at)
            at += step
    return found


def _is_narrow(groups: Sequence[Group], candidates: int, span: Span) -> bool:
    rows, window = sum(group.rows for group in groups), _window(groups)
    expected = candidates * max(window, span.bucket) / span.length if span.length else candidates
    return rows >= FEWEST_TOGETHER and window <= span.length / 50 and rows >= 10 * expected


def _window(groups: Sequence[Group]) -> float:
    first, last = _ends(groups)
    return last - first


def _ends(groups: Sequence[Group]) -> tuple[float, float]:
    """When the first and the last of these rows were created."""
    return (
        min((group.first for group in groups if group.first is not None), default=0.0),
        max((group.last for group in groups if group.last is not None), default=0.0),
    )


def _import(groups: Sequence[Group]) -> Cause:
    rows, keys = _totals(groups)
    first, last = _ends(groups)
    evidence = {
        "first": moment(first),
        "last": moment(last),
        "beyond_range": sum(group.rows for group in groups if group.kind == "beyond"),
        "rows_per_key": round(rows / keys, 1),
    }
    return Cause(Kind.IMPORT, rows, keys, evidence, Confidence.LIKELY)


def may_be_oldest(facts: Facts) -> bool:
    """Whether so many of the oldest rows are orphans that it is worth counting all of them."""
    if facts.span is None or facts.span.length < DAY:
        return False
    upto = facts.span.first + max(facts.span.length / 100, facts.span.bucket)
    early = sum(rows for day, rows in facts.survey.days if day * facts.span.bucket < upto)
    share = (upto - facts.span.first) / facts.span.length
    return early >= FEWEST_TOGETHER and early >= facts.referring * share / 5


def oldest(facts: Facts) -> list[Group]:
    """Returns the missing keys of the table's oldest rows, where nearly every one of these is an orphan."""
    if facts.span is None:
        return []
    early = sorted((each for each in facts.survey.groups if each.detail == "early"), key=_begun)
    best = 0
    for upto in range(1, len(early) + 1):
        end = _ends(early[:upto])[1] // facts.span.bucket
        all_rows = sum(rows for bucket, rows in facts.oldest.items() if bucket <= end)
        rows = sum(group.rows for group in early[:upto])
        if rows >= FEWEST_TOGETHER and rows >= NEARLY_ALL * all_rows > 0:
            best = upto
    return early[:best]


def _begun(group: Group) -> tuple[float, str]:
    return group.first or 0.0, group.name


def _before(facts: Facts, groups: Sequence[Group]) -> Cause:
    evidence = {"last": moment(_ends(groups)[1]), "binds_new_rows": _binds(facts), "oldest_rows": True}
    return Cause(Kind.BEFORE_CONSTRAINT, *_totals(groups), evidence, Confidence.LIKELY)


def _binds(facts: Facts) -> bool:
    """Whether a constraint keeps new orphans out, so that all there are came before it."""
    key = facts.reference.declared
    return key is not None and key.enforced and not key.validated


def _remaining(facts: Facts, rest: Sequence[Group], rows: int, keys: int) -> Cause:
    """From before a constraint, when one binds new rows or when none is young; else unexplained."""
    unexplained = Cause(Kind.UNEXPLAINED, rows, keys, {}, Confidence.NONE)
    last = moment(_ends(rest)[1]) if facts.span and rest else ""
    evidence = {"last": last, "binds_new_rows": _binds(facts), "oldest_rows": False}
    before = replace(unexplained, kind=Kind.BEFORE_CONSTRAINT, evidence=evidence)
    if _binds(facts):
        return replace(before, confidence=Confidence.LIKELY)
    return (
        replace(before, confidence=Confidence.POSSIBLE)
        if _are_old(rest, rows, keys, facts.span)
        else unexplained
    )


def _are_old(rest: Sequence[Group], rows: int, keys: int, span: Span | None) -> bool:
    """Whether nearly all were created in the older half of the table's time, and are enough to tell:
    many rows of one key are one event."""
    if span is None or keys < FEWEST_OLD or rows != sum(group.rows for group in rest):
        return False
    middle = span.first + span.length / 2
    young = sum(group.rows for group in rest if group.last is None or group.last > middle)
    return young <= rows / 20
