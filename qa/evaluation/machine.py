"""What a figure was measured with: the code's commit and the machine."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path
from typing import Any

from qa.graph import available_cpus

ROOT = Path(__file__).resolve().parents[2]


def commit(root: Path = ROOT) -> str:
    """The commit of the code, "-dirty" if code or models differ from it; "unknown" outside a repository."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(root), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return "unknown"  # installed somewhere inside another repository, whose commit says nothing
        head = git("rev-parse", "--verify", "HEAD")
        return head + ("-dirty" if git("status", "--porcelain", "--", "qa", "models") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def machine() -> dict[str, Any]:
    """The processor's name, and how many of its threads this process may use."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cpu = names[0] if names else platform.processor() or platform.machine()
    return {"cpu": cpu, "threads": available_cpus()}
