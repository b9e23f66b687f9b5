"""The worst questions, as the report shows them: where each got lost, and its answers marked in passages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

MEANINGS = {
    "not retrieved": "no passage that says the answer was found",
    "retrieved but not read": "one was found, but the reader stopped before it",
    "read wrong": "it was read, and something else was taken",
    "wrongly declined": "the best answer was right, and was not given",
    "wrongly answered": "there is nothing to find, or people called that answer wrong",
}


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """One of the worst questions, as the template shows it.

    :param row: of ``errors``, as ``errors.worst`` makes them.
    """
    confidence = row["confidence"]
    same = " ".join(row["read_as"].split()) == " ".join(row["question"].split())
    refused = [answer for answer in row["refused"] if answer is not None]
    return {
        "what": row["what"],
        "question": row["question"],
        "read_as": "" if same else row["read_as"],
        "confidence": None if confidence is None else f"{confidence:.0%}",
        "given": row["given"],
        "best": row["best"],
        "answers": list(dict.fromkeys(row["answers"])),
        "refused": row["refused"],
        "lost": _lost(row),
        "passages": [
            {**{k: p[k] for k in ("article", "start", "end")}, "pieces": pieces(
                p["text"], {"right": row["answers"], "given": [*refused, *filter(None, [row["best"]])]}
            )}
            for p in row["passages"]
        ],
    }  # fmt: skip


def _lost(row: Mapping[str, Any]) -> str:
    if not row["answers"]:
        return (
            "given though people called it wrong" if row["refused"] else "something near it was taken for it"
        )
    if not row["said_at"]:
        return "no passage that was found says it"
    read = f"; {row['read']} were read" if row["read"] else ""
    return f"passage {row['said_at']} says it{read}"


def pieces(text: str, marked: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """The text in pieces, each with the kind of the answer that it is, or "" between; earlier kinds win.

    >>> pieces("Of oil and Oil men", {"right": ["oil"], "given": ["oil men"]})
    [('', 'Of '), ('right', 'oil'), ('', ' and '), ('right', 'Oil'), ('', ' men')]
    """
    taken: list[tuple[int, int, str]] = []
    for kind, answers in marked.items():
        for answer in sorted(set(answers), key=len, reverse=True):
            pattern = rf"(?<!\w){re.escape(answer)}(?!\w)"
            for found in re.finditer(pattern, text, re.IGNORECASE):
                if found.group() and all(found.end() <= a or b <= found.start() for a, b, _ in taken):
                    taken.append((*found.span(), kind))
    cut: list[tuple[str, str]] = []
    at = 0
    for start, end, kind in sorted(taken):
        cut += [("", text[at:start]), (kind, text[start:end])]
        at = end
    return [piece for piece in [*cut, ("", text[at:])] if piece[1]]
