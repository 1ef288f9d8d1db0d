"""The quarantine: what repairs took out of targets, to look through, to download, and to put back."""

from integrity.admin.quarantine.browsing import browse
from integrity.admin.quarantine.choosing import Chosen
from integrity.admin.quarantine.downloading import download
from integrity.admin.quarantine.restoring import WAYS, can_be_taken_back, put_back, restore

__all__ = ["WAYS", "Chosen", "browse", "can_be_taken_back", "download", "put_back", "restore"]
