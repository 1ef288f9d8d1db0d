"""Settings of the site that is shipped to try the product with.

``DATABASE_URL`` says where the site keeps its own records, ``INTEGRITY_TARGETS`` which databases are under
care, ``INTEGRITY_ADMIN_MODELS`` whose rows admin shows, ``SECRET_KEY`` and ``DEBUG`` what they say in every
Django project.
"""

import os
from pathlib import Path

import dj_database_url

from integrity_project.environment import flag, secret_key
from integrity_project.targets import parse_targets

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
VAR_DIR.mkdir(exist_ok=True)

SECRET_KEY = os.environ.get("SECRET_KEY") or secret_key(VAR_DIR / "secret_key")
DEBUG = flag("DEBUG", default=True)
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

CATALOG_DIR = BASE_DIR / "migrations_catalog"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_extensions",
    "integrity.apps.IntegrityConfig",
    "integrity_project",
    *(f"migrations_catalog.{apps.parent.name}" for apps in sorted(CATALOG_DIR.glob("*/apps.py"))),
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "integrity.middleware.ViolationMiddleware",
]

ROOT_URLCONF = "integrity_project.urls"
WSGI_APPLICATION = "integrity_project.wsgi.application"
ASGI_APPLICATION = "integrity_project.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": dj_database_url.parse(
        os.environ.get("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'site.sqlite3'}"
    ),
    **parse_targets(os.environ.get("INTEGRITY_TARGETS", "")),
}
DATABASE_ROUTERS = ["integrity.routers.CatalogRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"

INTEGRITY = {"ADMIN_MODELS": os.environ.get("INTEGRITY_ADMIN_MODELS", "").split()}
