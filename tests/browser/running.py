"""The servers that are running for the browser tests, with the folders of their indexes."""

from __future__ import annotations

import subprocess
from pathlib import Path

SERVERS: dict[str, tuple[subprocess.Popen[bytes], Path]] = {}
