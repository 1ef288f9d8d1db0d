"""Migrations asked for over HTTP: the same function as the command's, in the background."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from integrity import models, store, tasks
from integrity.database.schema import did_you_mean
from integrity.exceptions import (
    CatalogError,
    RepairRunning,
    SchemaFixRefused,
    TargetUnreachable,
)
from integrity.operations.runner import MigrateResult
from integrity.tasks.background import logged_step
from integrity.tasks.probing import known_aliases
from integrity.views.access import Refused, migrator, reader
from integrity.views.answering import answer, answering, problem, told

WORDS = ("target", "name", "phase", "dry_run", "wait")
PHASES = (1, 2, 3)
MOST_SECONDS = 30
USUAL_SECONDS = 5
LONGEST_BODY = 10_000


class _Unfit(Exception):
    """A body that cannot be understood."""


@answering("POST")
def migrate(request: HttpRequest) -> HttpResponseBase:
    """Applies a target's migrations, or says what would be applied.

    200 with the log when it is over within ``wait`` seconds, 202 with the job's address when it is not.
    """
    actor = migrator(request)
    try:
        wanted = _wanted(request)
    except _Unfit as unfit:
        return problem(422, str(unfit), words=list(WORDS))
    alias, to, phase = wanted["target"], wanted.get("name"), wanted.get("phase")
    try:
        if wanted.get("dry_run"):
            return answer(_planned(tasks.plan_of_migrations(alias, to=to, phase=phase)))
        planned, begun = tasks.ask_for_migrations(alias, to=to, phase=phase, actor=actor)
    except tasks.MigrationAsked as error:
        return told(409, error, job=_address(request, error.job))
    except RepairRunning as error:
        return told(409, error)
    except TargetUnreachable as error:
        return told(503, error)
    except (CatalogError, SchemaFixRefused) as error:
        return told(422, error)
    if begun is None:
        return answer(_planned(planned) | {"state": "finished", "dry_run": False})
    _note(request, begun, planned)
    tasks.wait_for_job(begun.pk, wanted.get("wait", USUAL_SECONDS))
    return _answered(request, store.load_job(begun.pk) or begun)


@answering("GET", "HEAD")
def job(request: HttpRequest, pk: int) -> HttpResponseBase:
    """How far migrations are that were asked for, with their log."""
    try:
        migrator(request)
    except Refused:
        reader(request)
    found = store.load_job(pk)
    if found is None or found.kind != models.JobKind.MIGRATE:
        return problem(404, f"There is no job {pk} that migrates")
    return answer(_told(request, found))


def _wanted(request: HttpRequest) -> dict[str, Any]:
    """The body, each of its words looked at."""
    data = _body(request)
    for word in data:
        if word not in WORDS:
            raise _Unfit(f"{word!r} is not known. {did_you_mean(str(word), WORDS)}")
    for word, fits, what in _RULES:
        if data.get(word) is not None and not fits(data[word]):
            raise _Unfit(f"{word} must be {what}.")
    aliases = list(known_aliases())
    if data.get("target") not in aliases:
        raise _Unfit(f"target must be one of: {', '.join(sorted(aliases))}.")
    return {word: value for word, value in data.items() if value is not None}


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = request.body
    except RequestDataTooBig:
        body = b" " * (LONGEST_BODY + 1)
    if len(body) > LONGEST_BODY:
        raise _Unfit("The body is too long.")
    try:
        data = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise _Unfit(f"The body is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise _Unfit('The body must be an object: {"target": "shop"}.')
    return data


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_RULES = (
    ("target", lambda value: isinstance(value, str), "a text"),
    ("name", lambda value: isinstance(value, str) and value != "", "a migration's name, or zero"),
    ("phase", lambda value: value in PHASES and not isinstance(value, bool), "1, 2 or 3"),
    ("dry_run", lambda value: isinstance(value, bool), "true or false"),
    ("wait", lambda value: _is_number(value) and 0 <= value <= MOST_SECONDS, f"0 to {MOST_SECONDS} seconds"),
)  # fmt: skip


def _planned(planned: MigrateResult) -> dict[str, Any]:
    steps = [logged_step(each) for each in planned.steps]
    facts = {"version": tasks.VERSION, "target": planned.target, "dry_run": True, "state": "planned"}
    return facts | {"log": steps, "sql": list(planned.sql)}


def _answered(request: HttpRequest, found: models.Job) -> HttpResponseBase:
    if not found.is_over:
        response = answer(_told(request, found), 202)
        response.headers["Location"] = _address(request, found.pk)
        return response
    if found.state == models.RunState.FINISHED:
        return answer(_told(request, found))
    return answer(_told(request, found), _FAILURES.get(found.result.get("problem", ""), 500))


_FAILURES = {
    "RepairRunning": 409, "TargetBusy": 503, "NoRoom": 507, "TargetUnreachable": 503, "WrongCredentials": 503,
    "SchemaFixRefused": 422, "ChecksFailed": 422, "CatalogError": 422, "CatalogMissing": 422,
    "MissingPrivilege": 422, "ReadOnlyTarget": 422,
}  # fmt: skip
"""What an error of ours is as a status; any other is a mistake of the product."""


def _told(request: HttpRequest, found: models.Job) -> dict[str, Any]:
    return {
        "version": tasks.VERSION,
        "target": found.target.alias,
        "dry_run": False,
        "job": found.pk,
        "url": _address(request, found.pk),
        "state": found.state,
        "done": found.done,
        "total": found.total,
        "actor": found.actor,
        "asked_at": found.created_at,
        "started_at": found.started_at,
        "finished_at": found.finished_at,
        "error": found.error,
        "log": found.result.get("log", []),
    }


def _address(request: HttpRequest, pk: int) -> str:
    return reverse("integrity:job", args=[pk], current_app=getattr(request, "current_app", None))


def _note(request: HttpRequest, begun: models.Job, planned: MigrateResult) -> None:
    """An entry in the admin log for somebody who is logged in; a token is the job's actor."""
    user: Any = getattr(request, "user", None)
    if user is not None and user.is_authenticated and not request.headers.get("Authorization"):
        steps = ", ".join(f"{'-' if each.backwards else '+'}{each.name}" for each in planned.steps)
        LogEntry.objects.log_actions(user.pk, [begun.target], CHANGE, f"Asked for migrations: {steps}")
