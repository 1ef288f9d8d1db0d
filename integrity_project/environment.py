"""What the settings read from the environment, or make once and keep."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

TRUE_WORDS = ("1", "true", "yes", "on")
FALSE_WORDS = ("0", "false", "no", "off", "")


def flag(name: str, *, default: bool) -> bool:
    """Return whether the environment switches ``name`` on.

    Raises:
        ImproperlyConfigured: The value is neither a yes nor a no; a typing error must not mean "off".
    """
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() not in TRUE_WORDS + FALSE_WORDS:
        raise ImproperlyConfigured(f"{name}={value!r} is neither on nor off; write {name}=1 or {name}=0.")
    return value.lower() in TRUE_WORDS


def secret_key(path: Path) -> str:
    """Return the key kept at ``path``, made there by whichever process comes first.

    Sessions must survive a restart, and a key that is in the repository is no secret.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key := get_random_secret_key())
    return key
