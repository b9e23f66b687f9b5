"""Every word the page says by itself. A translation is this one file.

Words of articles, file names and questions are not here: they are shown as they are.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

TITLE = "Ask the articles"
INTRO = "Ask a question. The answer comes as a quote, with its very place in the article, or an honest no."
ASK = "Ask"
ASK_LABEL = "Your question"
ASK_PLACEHOLDER = "Ask a question …"
START_OVER = "Start over"
EVIDENCE_LABEL = "Evidence"
EVIDENCE_EMPTY = "The page an answer comes from opens here, with the very words marked."
CLOSE = "Close"
YOU_ASKED = "You asked"

# The threshold: value -> words. "" is the threshold the models were calibrated with.
HOW_SURE = "How sure"
SURE_USUAL = "usual"
SURE_ANY = "any"
SURE_LEAD = "Answer only when at least this sure"
SURE_HINT = (
    "Below it, the page says that the articles don't say. Move it, and the last question is asked again."
)
SURE_MOST = "95 %"
ARTICLES = "Articles"
SKIP = "Skip to the question"
CHAT_LABEL = "Questions and answers"
SCHEME = "Light or dark"


def sure_back(usual: float | None) -> str:
    """The words for going back to the threshold that was measured."""
    return "Back to the usual" + (f" ({percent(usual)})" if usual is not None else "")


EXAMPLES_TITLE = "For example"
EXAMPLES_NOT_THERE = "not in these articles: see how it says no"
GENERIC_HINT = (
    "Short questions about people, places, dates and numbers work best: who, where, when, how many."
)

# The default articles, by the sha256 of their texts: only with exactly these are the examples sure to work.
SEED_VERSIONS = frozenset(
    {
        "368e55145de28b29d6e5ee9d8dcc2af6a48c7b4f1eb33ae7a40ac5dbfcf90d9a",
        "27c04ac467195a065ade5a8d182e9070e94fd55180170c6cb65bda16055ac760",
    }
)
EXAMPLES = (
    "Who is Nikki Haley?",
    "Where is John Delury a professor?",
    "How much of North Korea's trade does China account for?",
)
EXAMPLE_NOT_THERE = "Where was Nikki Haley born?"

EMPTY_TITLE = "There are no articles here yet."
EMPTY_HERE = (
    "Drop files anywhere on this page, or add them in the list of articles. Text can be pasted there too."
)
EMPTY_ADD = "Add articles"
EMPTY_HOW = "Whole folders go in from a terminal; this page notices:"


def empty_command(index: str) -> str:
    """The command that fills an empty library."""
    return f"python -m qa index PATH --index {shlex.quote(index)}"


STARTING = "Looking for it"
CANCEL = "Cancel"
CANCELLED = "Called off. Nothing was answered."
AGAIN = "Ask again"
OFFLINE = "The server does not answer. Is it still running? This page goes on by itself when it does."
LOST = "The server did not answer. Ask again when it is back."
BUSY = "Too many questions at once. Ask again in a moment."
STALE_PAGE = "The server was started anew; ask again first."


def waiting(before: int) -> str:
    """Said while others' questions are read first."""
    return f"Waiting for {count(before, 'question', 'questions')} before this one"


CONFIDENCE = ((0.85, "Very likely"), (0.6, "Likely"), (0.35, "Possible"), (0.0, "Unsure"))
UNCALIBRATED = "No probability"
READ_AS = "Read as:"
AS_WRITTEN = "Ask it as I wrote it"
NOTES = "Note"
COPY = "Copy quote"
COPIED = "Copied"
COPY_FAILED = "Select the quote and copy it by hand"
COPY_LINK = "Copy link"
LINK_FAILED = "Copy the address by hand"
SHOW = "Show in article"
SHOW_NEAREST = "Show it in the article"
ANOTHER_SAYS = "Another article says"
ALSO_SAYS = "It could also be"

DECLINED = "The articles don't say."
REASONS = {
    "empty_index": "There are no articles to ask yet.",
    "nothing_retrieved": "Nothing in them seems to be about this.",
    "no_span": "Some of it is near, but none of it is an answer.",
    "low_confidence": "The best guess is too unsure to call an answer.",
}
BEST_GUESS = "Show the best guess"
NEAREST = "Nearest passage"
NOT_AN_ANSWER = "not an answer"
GLIMPSE = "Reading here first"
NOT_YET = "no answer yet"
TRY = "What to try"
_TRY_WORDS = "A name, a place or a word that would stand in the article."
_TRY_SHORT = "One thing at a time: who, where, when, how many."
TRIES = {
    "nothing_retrieved": (_TRY_WORDS, "Look at the list of articles: is it in one of them?"),
    "no_span": (_TRY_SHORT, _TRY_WORDS),
    "low_confidence": ("Read the nearest passage: what it says may be enough.", _TRY_SHORT),
}
ASK_ALL = "Ask all articles"

# Questions that no quote can answer by itself: what is shown instead.
DECIDES_TITLE = {
    "yes_no": "You decide: this is the place.",
    "count": "You count: this is the place.",
    "list": "This may be a part of it.",
}
DECIDES = {
    "yes_no": "This page only quotes: it can't say yes or no. This place says most about it.",
    "count": "This page only quotes: it can't count. Count for yourself: this place says most about it.",
    "list": "This page only quotes, one place at a time. The rest of the list may stand in the other answers.",
}
GUESS = "A guess: more likely wrong than right."
QUOTES_ONLY = {
    "yes_no": "This page only quotes: it can't say yes or no.",
    "count": "This page only quotes: it can't count.",
    "list": "This page only quotes: it can't put a list together.",
}

# What a person says about an answer.
OPINION = "Was this right?"
OPINION_DECIDES = "Is this the place?"
VERDICTS = (("right", "Right"), ("wrong", "Wrong"), ("absent", "Not in the articles"))
VERDICTS_DECLINED = (("absent", "Right, it isn't there"), ("wrong", "Wrong, it is there"))
THANKS = "Noted. Thank you."

PREVIOUS = "previous place"
NEXT = "next place"
WAYS = "Places and ways on"
WHOLE = "Whole article"
PASSAGE = "Back to the passage"
OTHER_PLACES = "Other places that say so"
OTHER_ANSWERS = "Other answers"
WHOLE_GONE = "This article is no longer in the index."
WHOLE_FAILED = "The server does not answer. Is it still running?"
CUT_END = "The article goes on; only its beginning is shown."
CUT = "The article goes on; only the part around the quote is shown."

# A link to a question and its evidence, opened later.
LINK_STATES = {
    "unchanged": "The evidence of the link. The answer is another one now.",
    "moved": "The evidence of the link. It stands at another place of the article now.",
    "edited": "The evidence of the link. The article has been edited: this is its nearest wording now.",
    "gone": "The evidence of the link is gone: the article was removed, or no longer says so.",
}

# The list of articles
FIND = "Find by title, source or date"
FOUND_NONE = "No article matches."
DAYS = "Ask only articles dated"
SINCE = "from"
UNTIL = "to"
PASTE = "Paste text"
PASTE_TITLE = "Title"
PASTE_DATE = "Date (if it has one)"
PASTE_TEXT = "Text"
PASTE_ADD = "Add this text"
PASTE_EMPTY = "There is no text to add yet."
CHOOSE_FILES = "Choose files"
OR_DROP = "or drop them anywhere on this page."
DROP_HERE = "Drop the files to add them"
KINDS = (
    "Text, Markdown, HTML, PDF, Word, subtitles, CSV and JSON Lines of articles, zip. "
    "Up to 50 MB; tables and zip 200 MB."
)
READ_ONLY = "This page only reads: articles are added from the terminal it was started in."
READ = "Read"
REMOVE = "Remove"
UNDO = "Undo"
STALE = "Not searched yet: its index is being made anew."
SCOPE_OFF = "Ask all"
STOP = "Stop"
STOPPED = "Stopped. What was read until then is in."
DISMISS = "Clear this list"
SENDING = "Sending"
READING = "Reading"
QUEUED = "Waiting"
TOO_LARGE = "is larger than 200 MB; index it from the terminal"
WRONG_KIND = "is of no kind that can be read"
TOO_MANY = "Only the first 500 files were taken; index whole folders from the terminal."
SEND_FAILED = "could not be sent; is the server still running?"
NOT_FROM_PAGE = "this is not what a page sends; reload the page"
NOT_UPLOADED = "this file was not uploaded here; choose it again"
ELSEWHERE = "not from this page; open the page at its own address"


def more(rest: int) -> str:
    """The words for listing further articles."""
    return f"Show more ({rest:,})"


def size(characters: int, passages: int) -> str:
    """How long an article is."""
    return f"{characters:,} characters · {count(passages, 'passage', 'passages')}"


def characters(total: int) -> str:
    """How long a text is."""
    return count(total, "character", "characters")


def added(day: str) -> str:
    """Since when an article is in the index."""
    return f"added {day}"


def pick(title: str) -> str:
    """Name of the box that chooses an article."""
    return f"Ask within {title}"


def read(title: str) -> str:
    """Name of the button that opens an article."""
    return f"Read {title}"


def remove(title: str) -> str:
    """Name of the button that removes an article."""
    return f"Remove {title}"


def taken(added: Sequence[str], updated: Sequence[str], unchanged: Sequence[str]) -> str:
    """What became of a file's articles."""
    parts = [(added, "added"), (updated, "replaced by newer text"), (unchanged, "there already")]
    said = ", ".join(f"{count(len(ids), 'article', 'articles')} {what}" for ids, what in parts if ids)
    return said or "nothing added"


def more_failed(rest: int) -> str:
    """How many failures are not named."""
    return f"and {count(rest, 'more failure', 'more failures')}"


# For the page's script, by the names it uses; {} is filled in there.
SCRIPT = {
    "starting": STARTING, "cancel": CANCEL, "asked": YOU_ASKED, "offline": OFFLINE, "lost": LOST, "busy": BUSY,
    "cancelled": CANCELLED, "again": AGAIN, "thanks": THANKS, "copied": COPIED, "any": SURE_ANY, "usual": SURE_USUAL,
    "at_least": "at least {}", "one_article": "Only in “{}”", "articles": "Only in {} articles",
    "from": "from {}", "to": "to {}", "dated": "Only articles dated {}", "chosen": "{} chosen: asked alone",
    "removed": "Removed: {}", "undo": UNDO, "restored": "Back again: {}", "sending": SENDING, "reading": READING,
    "queued": QUEUED, "stop": STOP, "dismiss": DISMISS, "too_large": TOO_LARGE, "wrong_kind": WRONG_KIND,
    "too_many": TOO_MANY, "send_failed": SEND_FAILED, "paste_empty": PASTE_EMPTY, "of": "{} of {}", "drop": DROP_HERE,
    "remove_all": "Remove {}",
}  # fmt: skip

FAILED = "Something went wrong here. The terminal the page was started from says more."


def percent(p: float) -> str:
    """``0.914`` -> ``"91 %"``; never 100 % for what is not certain, nor 0 %."""
    if p < 0.005:
        return "< 1\u00a0%"
    return f"{min(round(p * 100), 99 if p < 1 else 100)}\u00a0%"


def sure_word(p: float) -> str:
    """``0.914`` -> ``"Very likely"``."""
    return next(word for floor, word in CONFIDENCE if p >= floor)


def why_not(reason: str, confidence: float | None) -> str:
    """Why there is no answer, in one line."""
    why = REASONS.get(reason, "")
    if reason == "low_confidence" and confidence is not None:
        return f"{why[:-1]} ({percent(confidence)})."
    return why


def count(n: int, one: str, many: str) -> str:
    """``count(2, "article", "articles")`` -> ``"2 articles"``, with thousands separated."""
    return f"{n:,} {one if n == 1 else many}"


def counts(articles: int, passages: int) -> str:
    """What the index holds: ``2 articles · 9 passages``."""
    return f"{count(articles, 'article', 'articles')} · {count(passages, 'passage', 'passages')}"


def agreement(places: int, articles: int, guess: bool = False) -> str:
    """How many places of how many articles say it; of a guess, where it stands."""
    if articles > 1:
        return f"in {articles:,} articles" if guess else f"{articles:,} articles say so"
    return "in 1 article" if places == 1 else f"in 1 article, {places:,} places"


def several(articles: int) -> str:
    """How many articles give another answer."""
    return count(articles, "article", "articles")


def place_of(n: int, total: int) -> str:
    """Where we are among the places."""
    return f"place {n:,} of {total:,}"


def position(start: int, end: int, total: int | None) -> str:
    """Which characters these are, the offsets of the contract."""
    return f"characters {start:,}–{end:,}" + (f" of {total:,}" if total is not None else "")


def spoken_answer(quote: str, sure: str) -> str:
    """What a screen reader says when an answer is there."""
    return f"Answer: {quote}. {sure}."
