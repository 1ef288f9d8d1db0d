"""Prometheus metrics: what the site remembers of its targets, and what happens in its requests.

Without `prometheus-client` (the extra ``metrics``) nothing is counted, and nothing fails.
"""

from integrity.metrics.names import METRICS, Metric

__all__ = ["METRICS", "Metric"]
