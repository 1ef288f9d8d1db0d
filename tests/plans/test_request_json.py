"""A request for a plan travels as JSON: to a worker that makes it in another process."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from integrity.database.identifiers import Path
from integrity.plans import DuplicateRequest, Request, parse_mapping
from integrity.references import Resolution
from integrity.references.uniques import Duplicates

TEXT = st.text(max_size=6)
KEYS = st.lists(st.lists(TEXT, min_size=1, max_size=2).map(tuple), max_size=3).map(tuple)
PATH = st.none() | st.builds(
    Path, st.lists(TEXT, min_size=1, max_size=2).map(tuple), st.lists(TEXT, max_size=2).map(tuple)
)
MAPPING = st.none() | st.builds(parse_mapping, st.text("old,new\n\"x'é", max_size=20), TEXT)
REQUESTS = st.builds(
    Request,
    reference=PATH,
    resolution=st.none() | st.sampled_from(Resolution),
    suggested=st.booleans(),
    to=st.none() | st.lists(TEXT, max_size=2).map(tuple),
    reason=TEXT,
    until=TEXT,
    keys=KEYS,
    mapping=MAPPING,
)
DUPLICATES = st.builds(
    DuplicateRequest,
    unique=PATH,
    action=st.none() | st.sampled_from(Duplicates),
    survivor=TEXT,
    rename=TEXT,
    fill=st.booleans(),
    values=KEYS,
)


@settings(max_examples=60)
@given(REQUESTS, DUPLICATES)
def test_what_comes_back_is_what_was_sent(request: Request, duplicates: DuplicateRequest) -> None:
    assert Request.from_json(json.loads(json.dumps(request.as_json()))) == request
    assert DuplicateRequest.from_json(json.loads(json.dumps(duplicates.as_json()))) == duplicates


def test_what_is_left_out_is_as_in_a_new_request() -> None:
    assert Request.from_json({}) == Request()
    assert DuplicateRequest.from_json({}) == DuplicateRequest()
