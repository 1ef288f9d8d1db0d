"""The project's settings, deaf to the environment of whoever runs the tests.

A developer's own targets must never be touched by a test, so the variables that name them are gone before
the settings read them.
"""

import os

for _name in ("DATABASE_URL", "INTEGRITY_TARGETS", "INTEGRITY_ADMIN_MODELS", "DEBUG"):
    os.environ.pop(_name, None)
os.environ["SECRET_KEY"] = "tests keep no secrets"

from integrity_project.settings import *  # noqa: E402, F403

MIDDLEWARE = ["tests.policy.StrictPolicy", *MIDDLEWARE]  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
