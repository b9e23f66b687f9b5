"""What kind of answer a question asks for, where a quote alone is not that answer: yes or no, a count, a list.

An extractive reader shows the place; the person decides. Rules of English word order, no model.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["yes_no", "count", "list"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_AUXILIARY = _words(
    "is are was were am do does did has have had can could will would shall should may might must"
)
_WH = _words("who whom whose what which where when why how")
# "can you tell me who he is" asks who he is.
_LEAD = re.compile(r"(?:please |and |so |but |then |well )*(?:(?:can|could|would|will|do) you (?:please )?"
                   r"(?:tell me|say|know|remember|explain|show me|find out|find)\b ?)?(?:please )?")  # fmt: skip
_COUNT = re.compile(r"(?:how many|how often|count the|what (?:is|was) the number of|what number of)\b")
_LIST = re.compile(
    r"(?:list|name|enumerate)\b (?!of\b|is\b|was\b)|(?:who|what|which) (?:all )?(?:are|were)\b"
)
_PLURAL = re.compile(r"(?:which|what) (\w+)")
_NO_PLURAL = _words("is was does has this news series species business process crisis status")
_NUMBER = _words(
    "no none zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand "
    "thousands million millions billion billions trillion dozen dozens once twice thrice several both half"
)


def asks_for(question: str) -> Kind | None:
    """What a quote alone is no answer to; None for questions that words of an article can answer.

    >>> asks_for("Is Nikki Haley an ambassador?"), asks_for("how many came"), asks_for("Which experts are quoted?")
    ('yes_no', 'count', 'list')
    >>> asks_for("who is nikki haley"), asks_for("Is it red or blue?")
    (None, None)
    """
    words = re.findall(r"\w+", question.lower())
    plain = " ".join(words)
    plain = plain[_LEAD.match(plain).end() :]  # type: ignore[union-attr]  # matches always, if nothing
    first, _, rest = plain.partition(" ")
    if first in _AUXILIARY and rest:
        choice = " or " in f"{plain} " and not re.search(r"\bor not$", plain)
        return None if choice or plain.rpartition(" ")[2] in _WH else "yes_no"
    if _COUNT.match(plain):
        return "count"
    if _LIST.match(plain):
        return "list"
    noun = _PLURAL.match(plain)
    if noun and re.fullmatch(r"\w{3,}(?<![siu])s|people|men|women|children|countries", noun[1]):
        return None if noun[1] in _NO_PLURAL else "list"
    return None


def has_number(text: str) -> bool:
    """Whether a quote says a number, in digits or in words: then it can be the answer to how many."""
    return any(word.isdigit() or word in _NUMBER for word in re.findall(r"\w+", text.lower()))
