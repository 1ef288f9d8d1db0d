"""What all pages share: history is read, never edited, and nothing happens without its permission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.text import capfirst

from integrity import models
from integrity.admin.advice import without_commands
from integrity.admin.serving import ServedAdmin, reverse
from integrity.exceptions import ReferentialIntegrityError
from integrity.references.masking import without_values
from integrity.store import Person

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[Any, Any]
else:
    TabularInline = admin.TabularInline


class ReadOnlyAdmin(ServedAdmin):
    """Shows what happened. Actions have permissions of their own: `permissions_of_actions`."""

    permissions_of_actions: Mapping[str, str] = {}
    hidden_when_empty: Sequence[str] = ("error",)
    list_per_page = 50
    show_full_result_count = False
    save_on_top = False

    class Media:
        css = {"all": ["integrity/admin.css"]}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is edited by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History is not deleted by hand."""
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Calls a list by what is in it; refuses an action that was not offered instead of ignoring it."""
        if request.method == "POST" and not self._may_act(request, request.POST.get("action", "")):
            raise PermissionDenied
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Calls a page by what it shows."""
        if context.get("subtitle"):
            context |= {"title": capfirst(context["subtitle"]), "subtitle": None}
        return super().render_change_form(request, context, *args, **kwargs)

    def get_search_fields(self, request: HttpRequest) -> Any:
        """Errors can name values of rows: whoever may not see these would guess them by searching."""
        fields = super().get_search_fields(request)
        return [name for name in fields if name != "error" or may(request, "view_sample_rows")]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leaves out what would say nothing."""
        fields = super().get_fields(request, obj)
        return [
            name for name in fields if name not in self.hidden_when_empty or getattr(obj, str(name), None)
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offers only what this user may do."""
        actions = super().get_actions(request)
        allowed = {name for name in actions if self._may_act(request, name)}
        return {name: action for name, action in actions.items() if name in allowed}

    def _may_act(self, request: HttpRequest, action: str) -> bool:
        permission = self.permissions_of_actions.get(action)
        return permission is None or may(request, permission)

    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        """Returns a page of this app in the frame of the admin."""
        frame = self.admin_site.each_context(request)
        context = {**frame, "opts": self.opts, "media": self.media, "title": title, **context}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"admin/integrity/{template}", context)

    def started(self, request: HttpRequest, job: models.Job) -> HttpResponseRedirect:
        """Leads to the page of a job that was just asked for."""
        return HttpResponseRedirect(reverse("admin:integrity_job_change", args=[job.pk]))

    def log(self, request: HttpRequest, objects: QuerySet[Any] | list[Any], message: str) -> None:
        """Writes an entry into the admin log for each object."""
        LogEntry.objects.log_actions(request.user.pk, objects, CHANGE, message)  # type: ignore[arg-type]

    def refused(self, request: HttpRequest, error: ReferentialIntegrityError) -> None:
        """Shows an error of ours as a message: what, where, and what to do next."""
        place = f" ({error.where})" if error.where else ""
        what = told(request, error.what)
        text = format_html("<strong>{}</strong>{} {}", what + ".", place, told(request, error.hint))
        messages.error(request, text)


def may(request: HttpRequest, *permissions: str) -> bool:
    """Whether the user has each of these permissions of this app."""
    return all(request.user.has_perm(f"integrity.{permission}") for permission in permissions)


def demand(request: HttpRequest, *permissions: str) -> None:
    """Refuses whoever lacks one of these permissions of this app.

    Raises:
        PermissionDenied: a page with status 403.
    """
    if not may(request, *permissions):
        raise PermissionDenied


def told(request: HttpRequest, text: str) -> str:
    """Returns what a check or an error says as this user may read it on a page."""
    return without_commands(text if may(request, "view_sample_rows") else without_values(text))


def actor(request: HttpRequest) -> str:
    """The name under which what this user does is recorded."""
    return str(request.user.get_username())


def person(request: HttpRequest) -> Person:
    """Who this user is, where it matters that it is this one and no other: names can be changed."""
    return Person(actor(request), str(request.user.pk))


def link(instance: Model, text: Any = None) -> str:
    """A link to the page of an object."""
    url = reverse(f"admin:{instance._meta.app_label}_{instance._meta.model_name}_change", args=[instance.pk])
    return format_html('<a href="{}">{}</a>', url, text or instance)
