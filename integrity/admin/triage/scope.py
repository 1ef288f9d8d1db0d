"""For what of a finding somebody decides: all of its orphans, or those that miss one key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest

from integrity import models
from integrity.admin.serving import reverse


@dataclass(frozen=True)
class Scope:
    """One missing key, as the address of a page names it; empty: the whole finding."""

    key: tuple[str, ...] = ()

    @classmethod
    def asked(cls, request: HttpRequest, finding: models.Finding) -> Scope:
        """Reads what an address asks for; anything that is no key of this finding is the whole of it."""
        try:
            parts = json.loads(request.GET.get("key", "[]"))
        except (ValueError, RecursionError):
            return cls()
        texts = isinstance(parts, list) and all(isinstance(part, str) for part in parts)
        return cls(tuple(parts)) if texts and len(parts) == len(finding.columns) else cls()

    @property
    def text(self) -> str:
        """The key as people read it."""
        return ", ".join(self.key)

    def address(self, name: str, finding: models.Finding) -> str:
        """The address of a page about a finding, or about this key of it."""
        url = reverse(f"admin:integrity_orphanfinding_{name}", args=[finding.pk])
        return f"{url}?{urlencode(self.fields)}" if self.key else url

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What a page that decides is asked with."""
        return [("key", json.dumps(self.key))] if self.key else []
