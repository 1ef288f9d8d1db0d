"""Metrics that are read when somebody asks: four queries of the site's database, one of each server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family

from integrity.exceptions import ReferentialIntegrityError
from integrity.metrics import connections, names
from integrity.metrics.names import Metric
from integrity.store import metrics as stored

Rows = Iterable[tuple[tuple[str, ...], float]]


class Remembered:
    """What the site's database says of all targets. Where it cannot be read, that is said instead."""

    def collect(self) -> Iterator[Family]:
        """Yields the families of one scrape."""
        up = 1.0
        for part in (_migrations, _rules, _audits, _queries):
            try:
                families = list(part())
            except ReferentialIntegrityError:
                up = 0.0
            else:
                yield from families
        yield _gauge(names.SITE_UP, [((), up)])


class InUse:
    """Who uses how many connections."""

    def collect(self) -> Iterator[Family]:
        """Yields the families of one scrape."""
        asked = connections.servers.look(connections.server_aliases())
        answers = {alias: each for alias, each in asked.items() if each is not None}
        yield _gauge(names.TARGET_UP, [((alias,), float(alias in answers)) for alias in asked])
        yield _gauge(
            names.CONNECTIONS,
            [
                ((alias, state), number)
                for alias, each in answers.items()
                for state, number in each.by_state.items()
            ],
        )
        yield _gauge(
            names.SERVER_CONNECTIONS, [((alias,), each.on_server) for alias, each in answers.items()]
        )
        yield _gauge(names.SERVER_CONNECTIONS_MAX, [((alias,), each.most) for alias, each in answers.items()])
        yield _gauge(
            names.PROCESS_CONNECTIONS,
            [((alias,), number) for alias, number in connections.open_in_process().items()],
        )
        yield from _pools()


def _pools() -> Iterator[Family]:
    pools = connections.pools()
    used = {alias: each["pool_size"] - each["pool_available"] for alias, each in pools.items()}
    yield _gauge(
        names.POOL_CONNECTIONS,
        [
            ((alias, state), number)
            for alias, each in pools.items()
            for state, number in (("used", used[alias]), ("idle", each["pool_available"]))
        ],
    )
    yield _gauge(names.POOL_MAX, [((alias,), each["pool_max"]) for alias, each in pools.items()])
    waiting = [((alias,), each.get("requests_waiting", 0)) for alias, each in pools.items()]
    yield _gauge(names.POOL_WAITING, waiting)


def _migrations() -> Iterator[Family]:
    seconds, failed = names.MIGRATION_SECONDS, names.MIGRATION_FAILURES
    durations = HistogramMetricFamily(seconds.name, seconds.help, labels=seconds.labels)
    failures = CounterMetricFamily(failed.name, failed.help, labels=failed.labels)
    for each in stored.migration_times():
        labels = (each.target, each.migration, each.direction)
        limits = [str(float(limit)) for limit in stored.BUCKETS]
        buckets = [*zip(limits, each.within, strict=True), ("+Inf", each.runs)]
        durations.add_metric(labels, buckets, each.seconds)
        failures.add_metric(labels, each.failures)
    yield durations
    yield failures


def _rules() -> Iterator[Family]:
    rules = stored.broken_rules()
    for metric, what in ((names.ORPHANS, "orphans"), (names.DUPLICATES, "duplicates")):
        rows = [
            ((each.target, each.rule, str(each.kept).lower()), each.rows)
            for each in rules
            if each.what == what
        ]
        yield _gauge(metric, rows)


def _audits() -> Iterator[Family]:
    looks = stored.last_looks()
    yield _gauge(names.AUDITED_AT, _moments((each.target, each.at) for each in looks))
    yield _gauge(names.AUDITED_WHOLE_AT, _moments((each.target, each.complete_at) for each in looks))


def _queries() -> Iterator[Family]:
    times = stored.query_times()
    yield _gauge(
        names.QUERY_SECONDS,
        [
            ((each.target, each.query, quantile), milliseconds / 1_000)
            for each in times
            for quantile, milliseconds in each.quantiles.items()
            if milliseconds is not None
        ],
    )
    ratios = [((each.target, each.query), each.ratio) for each in times if each.ratio is not None]
    yield _gauge(names.QUERY_RATIO, ratios)
    yield _gauge(
        names.QUERY_REGRESSED, [((each.target, each.query), float(each.regressed)) for each in times]
    )
    yield _gauge(names.QUERIES_AT, _moments({each.target: each.measured_at for each in times}.items()))


def _moments(moments: Iterable[tuple[str, datetime | None]]) -> Rows:
    return [((target,), at.timestamp()) for target, at in moments if at is not None]


def _gauge(metric: Metric, rows: Rows) -> Family:
    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in rows:
        family.add_metric(labels, value)
    return family
