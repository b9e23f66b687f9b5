"""The lines of a text that are boilerplate as a whole."""

from __future__ import annotations

import re

from .extract import LINK, lines
from .types import Range

LINE_CHARACTERS = 200  # a longer line is prose, or a raw article without line breaks: never masked as a line

_THING = r"(?:articles?|stor(?:y|ies)|posts?|pages?|news|videos?|links?|content|coverage|topics?|reading)"
_SITE = r"(?:facebook|twitter|x|linkedin|whatsapp|reddit|pinterest|telegram|e-?mail|print|(?:your )?friends)"
_LETTER = r"(?:newsletters?|e-?mails?|alerts?|mailing list|briefings?|podcasts?|updates)"

# Whole lines; the first kind may end like a sentence, the second, open to any words, may not.
_CLOSED = (
    r"ad|advert|advertisements?|(?:sponsored|promoted|paid)(?: content)?",
    rf"{_THING} continues (?:below|after)(?: (?:this |the )?(?:ad|advert|advertisement))?",
    r"scroll (?:down )?(?:to continue|for more)(?: reading)?",
    rf"(?:share|tweet|print|e-?mail)(?: (?:this|the))?(?: {_THING})?"
    rf"(?: (?:on|via|with|by|to) {_SITE}(?:,? (?:(?:and|or|&) )?{_SITE})*)?",
    r"(?:follow|find) us(?: on [^.!?]{1,40})?",
    r"(?:subscribe|sign up|sign in|log in|register)(?: (?:now|today|here|for free))?",
    rf"(?:sign up|subscribe|register)(?: \w+)? (?:for|to) [^.!?]{{0,60}}\b{_LETTER}"
    r"(?: (?:here|now|today|below|for free|to (?:get|receive|stay) [^.!?]{1,60}))?",
    r"(?:read|see|also|watch) (?:more|also|next|read|live)",
    rf"related(?: {_THING})?|recommended (?:for you|{_THING})|don't miss",
    rf"you (?:may|might) also (?:like|enjoy|be interested in)(?: (?:this|these))?(?: {_THING})?",
    rf"more (?:on this (?:story|topic)|like this|for you|{_THING})|(?:top|latest) (?:stories|news|headlines)",
    r"most (?:read|popular|viewed|shared)|trending(?: now)?|up next|editor(?:'s|s'?) picks?",
    r"(?:continue|keep) reading(?: (?:below|here|the main story|this (?:article|story)))?|click here",
    r"(?:skip|jump|back|return) to (?:(?:the )?top|(?:main )?(?:content|navigation)|footer|search)",
    r"(?:leave|post|add|write) a (?:comment|reply)|(?:\d+ )?comments?(?: \(\d+\))?",
    r"(?:show|view|load|read|see) (?:all|more)(?: (?:\d+ )?(?:comments|replies))?",
    r"(?:.{0,100}(?:[.,;|©–—-]|\d{4}) ?)?all rights reserved",
    r"this (?:material|content|article|story) may not be (?:published|reproduced|copied|redistributed)\b.{0,120}",
    r"(?:we|this (?:web)?site|our (?:web)?site|we and our partners) uses? (?:[\w-]+ )?cookies"
    r"(?: .{0,80}\b(?:(?:this|our) (?:web)?site|(?:your|the best) .{0,20}experience|personali[sz]e|consent|traffic)\b"
    r".{0,80})?",
    r"by continuing (?:to (?:use|browse|visit)|without)\b.{0,100}\b(?:cookies|privacy policy|terms of use)\b.{0,60}",
    r"(?:accept|reject|manage|allow)(?: all)? cookies?(?: settings| preferences)?|accept all",
    r"(?:cookie|privacy) (?:policy|notice|settings|preferences)|terms (?:of (?:use|service)|(?:and|&) conditions)",
)
_OPEN = (
    rf"(?:read (?:more|also|next)|also read|see (?:also|more)|related(?: {_THING})?|recommended|don't miss)"
    r" ?[:»>|] ?.+",
    r"read more (?:about|at|on|from|here)\b[^.!?]{0,80}|see also [^.!?]{1,120}",
    r"subscribe to (?:our|this) [^.!?]{1,40}|get (?:our|the) [^.!?]{0,50}newsletters?[^.!?]{0,40}",
    r"(?:continue|keep) reading [^.!?]{1,80}",
    r"(?:copyright )?©.{1,120}|copyright (?:\(c\) ?|©)?\d{4}\b.{0,100}|\(c\) ?\d{4}\b.{0,100}",
)
_BOILERPLATE = re.compile(rf"(?:{'|'.join(_CLOSED)})[\s.:!…»>→]*|(?:{'|'.join(_OPEN)})", re.IGNORECASE)


def line_masks(text: str) -> list[Range]:
    """Ranges of the short lines that are boilerplate as a whole: "Advertisement", "Read more: ...", a copyright line.

    Markdown around such a line (a bullet, bold, a link) does not hide it. A file without line breaks has none.
    """
    masks = []
    for start, end in lines(text):
        if end - start > LINE_CHARACTERS:
            continue
        words = LINK.sub("]", text[start:end]).replace("’", "'")
        words = " ".join(re.sub(r"[*_#\[\]`\ufeff]|^[>•·|–—-]+|[|–—-]+$", " ", words).split())
        if _BOILERPLATE.fullmatch(words):
            masks.append((start, end))
    return masks
