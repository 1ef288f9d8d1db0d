"""What somebody chose of the schema fixes of a target, and the files that it becomes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import HttpResponseRedirect

from integrity import models, tasks
from integrity.admin.serving import reverse
from integrity.exceptions import ReferentialIntegrityError
from integrity.operations.fixes import FixKey, SchemaFix
from integrity.operations.writer import WrittenFile


@dataclass
class Choice:
    """What can be chosen, what is, and the files that it becomes."""

    target: models.Target
    offered: tasks.Offered
    chosen: Mapping[FixKey, SchemaFix | None]
    designed: tasks.Designed | None = None
    problem: ReferentialIntegrityError | None = None
    files: Sequence[WrittenFile] = field(default_factory=list)

    @property
    def fixes(self) -> list[SchemaFix]:
        """Those that are chosen."""
        return [fix for fix in self.offered.fixes if fix.key in self.chosen]


def key_of(fix: SchemaFix) -> str:
    """A short name of a fix for forms and addresses, whatever its table is called."""
    return hashlib.sha256(json.dumps(fix.key).encode()).hexdigest()[:16]


def again(choice: Choice) -> HttpResponseRedirect:
    """Leads back to the same choice, to be looked at as it is now."""
    url = reverse("admin:integrity_schema_fixes", args=[choice.target.alias])
    pairs = [("chosen", "yes"), *(("fix", key_of(fix)) for fix in choice.fixes)]
    return HttpResponseRedirect(f"{url}?{urlencode(pairs)}")
