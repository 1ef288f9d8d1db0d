"""The only code that speaks SQL to a target."""

from integrity.database.identifiers import TableName
from integrity.database.schema import Schema
from integrity.database.session import Session, Target

__all__ = ["Schema", "Session", "TableName", "Target"]
