"""Models that are written for a database of the test, loaded beside the site's own."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
from django.apps import AppConfig
from django.apps.registry import Apps
from django.core import checks
from django.core.checks.model_checks import _check_lazy_references, check_all_models
from django.db.models.options import Options

from tests.commands import run_json

LABEL = "catalog_target"
Loaded = Callable[[], ModuleType]


@pytest.fixture
def catalogs(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The folder of all target catalogs, empty."""
    root = tmp_path / "catalogs"
    settings.INTEGRITY = {"CATALOG_ROOT": root, "CATALOG_PACKAGE": root.name}
    yield root
    for name in [name for name in sys.modules if name.partition(".")[0] == root.name]:
        del sys.modules[name]


@pytest.fixture
def load(catalogs: Path) -> Iterator[Callable[[], ModuleType]]:
    """Return a function that loads the models of ``target`` as an app of their own."""
    with mock.patch.object(Options, "default_apps", Apps(installed_apps=())) as apps:
        yield lambda: _loaded(catalogs, apps)


def _loaded(root: Path, apps: Any) -> ModuleType:
    for name in ("", ".target", ".target.generated", ".target.models"):
        _module(f"{root.name}{name}", root.parent / f"{root.name}{name}".replace(".", "/"))
    models = sys.modules[f"{root.name}.target.models"]
    config = AppConfig(f"{root.name}.target", sys.modules[f"{root.name}.target"])
    config.label = LABEL
    config.apps, config.models_module, config.models = apps, models, apps.all_models[LABEL]
    apps.app_configs[LABEL] = config
    apps.apps_ready = apps.models_ready = apps.ready = True
    apps.clear_cache()
    return models


def _module(name: str, path: Path) -> None:
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, sys.modules[name])


@pytest.fixture
def modelled(load: Loaded) -> Loaded:
    """Return a function that writes the models of ``target`` and loads them."""

    def model() -> ModuleType:
        run_json("models", "target")
        return load()

    return model


def all_models(module: ModuleType) -> list[Any]:
    """Return the models of a module, abstract ones aside."""
    return [each for each in vars(module).values() if isinstance(each, type) and hasattr(each, "_meta")]


def mistakes(module: ModuleType) -> list[checks.CheckMessage]:
    """Return what ``manage.py check`` has to say of these models."""
    models = all_models(module)
    config = models[0]._meta.apps.app_configs[LABEL]
    return [*check_all_models(app_configs=[config]), *_check_lazy_references(config.apps)]
