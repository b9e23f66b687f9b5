"""What people thought of answers: one JSON line each, in the index's folder, for ``qa evaluate``."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from qa.finding import reason
from qa.milvus.address import parse_address
from qa.types import Answer, ArticleIndexError, QuestionError

FILE = "feedback.jsonl"
Verdict = Literal["right", "wrong", "absent"]  # absent: it is not in the articles
VERDICTS: tuple[str, ...] = get_args(Verdict)


def feedback(
    answer: Answer, verdict: str, *, token: str, history: Sequence[Sequence[str | None]] = (),
    articles: Sequence[str] | None = None, min_confidence: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """One line: what was asked, what was answered, and the verdict.

    :param token: names this answer; of several lines with one ``id`` the last one counts.
    :param history: the others are ``ask``'s arguments, as they were.
    :raises QuestionError: if the verdict is none.
    """
    if verdict not in VERDICTS:
        raise QuestionError(f"a verdict is one of {', '.join(VERDICTS)}, not {verdict[:20]!r}")
    best = answer.citations[0] if answer.citations else None
    return {
        "schema": 1, "id": token, "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "question": answer.question, "history": [list(turn) for turn in history], "read_as": answer.read_as,
        "articles": None if articles is None else list(articles), "min_confidence": min_confidence,
        "verdict": verdict, "answer": answer.answer, "ref": best.ref if best else None,
        "confidence": answer.confidence, "reason": answer.reason, "index": dict(answer.index),
    }  # fmt: skip


def place(index: str | Path) -> Path:
    """The file for what people say of an index: in its folder; of one on a server, in the working folder.

    >>> place("milvus://db:19530/news").as_posix()
    'feedback-news.jsonl'
    """
    address = parse_address(index)
    if address is None or address.lite:
        return Path(index) / FILE
    return Path(f"{Path(FILE).stem}-{address.name}.jsonl")


def record(index: str | Path, line: dict[str, Any]) -> None:
    """Append a line to the file of an index, whole and on the disk; several processes may.

    :raises ArticleIndexError: if it cannot be written.
    """
    path = place(index)
    # Half of a character can be asked, but no file can hold it.
    text = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace").decode() + "\n"
    try:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":  # a line that was cut off stays by itself
                text = "\n" + text
            data = text.encode()
            if os.write(file, data) != len(data):
                raise OSError(None, "no space left")
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise ArticleIndexError(f"{path} cannot be written: {reason(error)}") from error
