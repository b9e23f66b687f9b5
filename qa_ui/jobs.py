"""Files on their way into the index: read one after the other, watched and stopped from the page."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qa.library import UPLOAD_FILES, Library, Taken
from qa.types import QuestionError

from . import words
from .errors import one_line
from .shelf import outcome

REMEMBERED = 2 * UPLOAD_FILES  # jobs whose outcome can be asked for


@dataclass(slots=True)
class Job:
    """One file being taken in."""

    path: Path
    name: str
    taken: Taken = field(default_factory=Taken)
    state: str = "queued"  # then "reading", then "done"
    error: str = ""
    off: threading.Event = field(default_factory=threading.Event)

    def to_json(self) -> dict[str, Any]:
        """What the page shows of it."""
        shown: dict[str, Any] = {"state": self.state, "done": self.taken.done, "total": self.taken.total}
        if self.state == "done":
            shown["html"] = outcome(self.taken, self.off.is_set(), self.error)
            shown["failed"] = bool(self.error or self.taken.failed)
        return shown


class Jobs:
    """Takes in uploaded files, in one thread: an index has one writer at a time."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="intake")
        self._jobs: dict[str, Job] = {}
        self._names = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, path: Path, name: str) -> str:
        """Take a file in, after those before it; returns the job's name.

        :raises QuestionError: if too many are waiting.
        """
        with self._lock:
            if sum(job.state != "done" for job in self._jobs.values()) >= UPLOAD_FILES:
                raise QuestionError(words.TOO_MANY)
            job_name = str(next(self._names))
            job = self._jobs[job_name] = Job(path, name)
            for old in [n for n, j in self._jobs.items() if j.state == "done"][: -REMEMBERED or None]:
                del self._jobs[old]
        self._worker.submit(self._take, job)
        return job_name

    def _take(self, job: Job) -> None:
        job.state = "reading"
        try:
            if not job.off.is_set():
                self._library.add_file(job.path, job.name, job.taken, job.off.is_set)
        except Exception as error:
            job.error = one_line(error)
        job.state = "done"

    def look(self, names: Sequence[str]) -> dict[str, Any]:
        """How far these jobs are."""
        with self._lock:
            return {name: self._jobs[name].to_json() for name in names if name in self._jobs}

    def stop(self, name: str) -> None:
        """Stop a job after the article it is at; what was read until then is added."""
        with self._lock:
            if name in self._jobs:
                self._jobs[name].off.set()
