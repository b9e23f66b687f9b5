"""What no answer over HTTP may show: where things lie on the machine that serves, wherever that is."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_OURS = (Path(tempfile.gettempdir()), Path.home(), ROOT, ROOT.parent)
# One at the top of the file system would find itself in every address.
PATHS = "|".join(["/home/", *(re.escape(f"{path}/") for path in _OURS if path.name)])
