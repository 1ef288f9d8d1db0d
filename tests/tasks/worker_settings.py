"""The project's settings for processes that tests start: with what the environment says besides."""

import json
import os

from integrity_project.settings import *  # noqa: F403
from integrity_project.settings import INSTALLED_APPS, INTEGRITY

INTEGRITY = INTEGRITY | json.loads(os.environ.get("INTEGRITY_SETTINGS", "{}"))
INSTALLED_APPS = [*INSTALLED_APPS, *os.environ.get("MORE_APPS", "").split()]

if "TASKS" in os.environ:
    TASKS = json.loads(os.environ["TASKS"])
if "RQ_SOCKET" in os.environ:
    RQ_QUEUES = {"default": {"UNIX_SOCKET_PATH": os.environ["RQ_SOCKET"], "DB": 0}}
