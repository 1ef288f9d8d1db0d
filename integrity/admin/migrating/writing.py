"""Files that were shown: written where that is permitted, else given away as a patch or a zip."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext as _

from integrity import conf, tasks
from integrity.admin.base import ReadOnlyAdmin
from integrity.admin.migrating.choice import Choice, again
from integrity.admin.serving import reverse
from integrity.exceptions import ReferentialIntegrityError
from integrity.operations.patching import patch_of, patch_root, relative
from integrity.operations.writer import WrittenFile

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The same files make the same archive, whenever it is made."""


@dataclass(frozen=True)
class ShownFile:
    """A file as a page shows it: under its path within the checkout."""

    name: str
    text: str

    @property
    def is_migration(self) -> bool:
        """Whether it is what somebody wants to read; the others only make a package."""
        return "/migrations/" in self.name and bool(self.text)


def shown(file: WrittenFile) -> ShownFile:
    """Returns a file for a page."""
    return ShownFile(relative(file, patch_root()), file.text)


def digest(files: Iterable[WrittenFile]) -> str:
    """What tells whether what would be written is what was shown."""
    return hashlib.sha256("\x1f".join(f"{each.path}\x1f{each.text}" for each in files).encode()).hexdigest()


def why_not() -> str:
    """Why this site writes no files, empty where it does."""
    if not conf.writes_migrations():
        return _("This site may not write files (the setting WRITES_MIGRATIONS). Take them, and commit them.")
    root = conf.catalog_root()
    standing = next((each for each in (root, *root.absolute().parents) if each.exists()), Path("/"))
    if not os.access(standing, os.W_OK):
        return _("The folder of the catalogs cannot be written from here. Take the files, and commit them.")
    return ""


def take(admin: ReadOnlyAdmin, request: HttpRequest, choice: Choice) -> HttpResponse:
    """Does what the button says with the files that were shown, and with no others."""
    if choice.problem is not None:
        admin.refused(request, choice.problem)
        return again(choice)
    if not choice.files or digest(choice.files) != request.POST.get("digest"):
        messages.error(request, _("The target or its catalog changed since this was shown. Look again."))
        return again(choice)
    if "patch" in request.POST:
        return _patch(choice)
    if "zip" in request.POST:
        return _zip(choice)
    return _write(admin, request, choice)


def _write(admin: ReadOnlyAdmin, request: HttpRequest, choice: Choice) -> HttpResponse:
    if not conf.writes_migrations():
        raise PermissionDenied
    try:
        written = tasks.design(choice.target.alias, choice.fixes).files
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return again(choice)
    names = ", ".join(file.path.name for file in written if shown(file).is_migration)
    admin.log(request, [choice.target], _("Wrote migrations: %(names)s") % {"names": names})
    said = format_html(_("Written: {}. Look at them, and apply them phase by phase."), names)
    messages.success(request, said)
    return HttpResponseRedirect(reverse("admin:integrity_target_migrations", args=[choice.target.pk]))


def _patch(choice: Choice) -> HttpResponse:
    text = patch_of(choice.files, patch_root())
    return _download(
        text.encode(), "text/x-patch; charset=utf-8", f"{choice.target.alias}_schema_fixes.patch"
    )


def _zip(choice: Choice) -> HttpResponse:
    made, root = io.BytesIO(), patch_root()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in choice.files:
            archive.writestr(zipfile.ZipInfo(relative(file, root), _LONG_AGO), file.text)
    return _download(made.getvalue(), "application/zip", f"{choice.target.alias}_schema_fixes.zip")


def _download(content: bytes, kind: str, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        headers={
            "Content-Type": kind,
            "Content-Disposition": f'attachment; filename="{_plain(name)}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _plain(name: str) -> str:
    return "".join(each if each.isascii() and (each.isalnum() or each in "._-") else "_" for each in name)
