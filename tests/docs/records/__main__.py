"""Says which items of a record, given as a file, have no line in docs/systems.md."""

import sys
from pathlib import Path

from tests.docs.records import unanswered

if __name__ == "__main__":
    left = unanswered(sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8"))
    print("\n".join(left) or "Every item has a line.")
    sys.exit(bool(left))
