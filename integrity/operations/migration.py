"""The migration that all migrations of a target catalog subclass."""

from __future__ import annotations

from typing import ClassVar

from django.apps import apps
from django.db import connections, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ModelState, ProjectState

from integrity import conf
from integrity.database.session import Target
from integrity.operations.alteration import Alteration
from integrity.operations.environments import refuse_left_out
from integrity.operations.lock import migrating_alone
from integrity.operations.noted import forget


class CatalogMigration(migrations.Migration):
    """A migration of one target catalog; on any other database it moves state and does nothing.

    A bare ``migrate`` of the site is therefore harmless. Each operation is a transaction of its own,
    with bounded locks, so that one that was interrupted goes on where it stopped when it is run again.

    Attributes:
        target: the target catalog's name: an alias, or ``CATALOG`` in an alias's ``DATABASES`` entry.
        phase: 1 harmless, 2 foreign keys for new rows, 3 all rows.
        changes_rows: whether rows are changed, and violations must be compared before and after.
        describes_models: whether the state it leaves has the models of its app, as they are now.
    """

    target: ClassVar[str] = ""
    phase: ClassVar[int] = 1
    changes_rows: ClassVar[bool] = False
    atomic = False
    describes_models: bool = True

    def mutate_state(self, project_state: ProjectState, preserve: bool = True) -> ProjectState:
        """Adds the models of the catalog's app: models and state always match.

        They describe tables that are not the site's, whose history is not written here, so that
        `makemigrations` has nothing to ask for, whatever they said before and will say.
        """
        state = super().mutate_state(project_state, preserve)
        return _with_models(state, self.app_label) if self.describes_models else state

    def apply(
        self, project_state: ProjectState, schema_editor: BaseDatabaseSchemaEditor, collect_sql: bool = False
    ) -> ProjectState:
        """Applies the operations, on the target alone."""
        if not concerns(schema_editor.connection.alias, self.target):
            return self._only_state(project_state, schema_editor)
        if collect_sql:
            return super().apply(project_state, schema_editor, collect_sql)
        refuse_left_out(self.target, self.name)
        schema_editor.integrity_migration = self.name  # type: ignore[attr-defined]
        with migrating_alone(Target(schema_editor.connection.alias)):
            forget(Alteration.by(schema_editor).session)
            return super().apply(project_state, schema_editor, collect_sql)

    def unapply(
        self, project_state: ProjectState, schema_editor: BaseDatabaseSchemaEditor, collect_sql: bool = False
    ) -> ProjectState:
        """Reverses the operations, on the target alone."""
        if not concerns(schema_editor.connection.alias, self.target):
            self._say_nothing_happens(schema_editor)
            return project_state
        if collect_sql:
            return super().unapply(project_state, schema_editor, collect_sql)
        schema_editor.integrity_migration = self.name  # type: ignore[attr-defined]
        with migrating_alone(Target(schema_editor.connection.alias)):
            forget(Alteration.by(schema_editor).session)
            return super().unapply(project_state, schema_editor, collect_sql)

    def _only_state(self, state: ProjectState, editor: BaseDatabaseSchemaEditor) -> ProjectState:
        self._say_nothing_happens(editor)
        return self.mutate_state(state, preserve=False)

    def _say_nothing_happens(self, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.collect_sql:
            here = editor.connection.alias
            text = f"-- Nothing on {here}: this migrates {self.target} (--database={self.target})"
            editor.collected_sql.append(text)


def _with_models(state: ProjectState, label: str) -> ProjectState:
    """Adds the unmanaged models of an app, those that are missing; a catalog need not be installed."""
    if label in apps.app_configs:
        for model in apps.get_app_config(label).get_models():
            missing = (label, str(model._meta.model_name)) not in state.models
            if missing and not (model._meta.managed or model._meta.proxy):
                state.add_model(ModelState.from_model(model))
    return state


def catalog_of(alias: str) -> str:
    """Returns the name of an alias's target catalog: ``CATALOG`` in its settings, else the alias."""
    return str(connections.databases.get(alias, {}).get("CATALOG", alias))


def concerns(alias: str, catalog: str) -> bool:
    """Whether an alias is a target of a catalog, directly or as the one that goes past a pooler."""
    return any(
        catalog_of(each) == catalog and alias in (each, conf.direct_alias(each))
        for each in {alias, catalog, *connections.databases}
    )
