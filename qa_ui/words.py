"""Every word the page says by itself. A translation is this one file.

Words of articles, file names and questions are not here: they are shown as they are.
"""

from __future__ import annotations

import shlex

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
SURE_LEVELS = (0.5, 0.75, 0.9)


def sure_level(level: float) -> str:
    """The words for "only when at least this sure"."""
    return f"at least {percent(level)}"


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
EXAMPLE_NOT_THERE = "Who won the football world cup?"

EMPTY_TITLE = "There are no articles here yet."
EMPTY_HOW = "Put some in from a terminal, files or whole folders, then reload this page:"


def empty_command(index: str) -> str:
    """The command that fills an empty library."""
    return f"python -m qa index PATH --index {shlex.quote(index)}"


STARTING = "Looking for it"
CONFIDENCE = ((0.85, "Very likely"), (0.6, "Likely"), (0.35, "Possible"), (0.0, "Unsure"))
UNCALIBRATED = "No probability"
READ_AS = "Read as:"
NOTES = "Note"
COPY = "Copy quote"
COPIED = "Copied"
COPY_FAILED = "Select the quote and copy it by hand"
SHOW = "Show in article"
SHOW_NEAREST = "Show it in the article"
ANOTHER_SAYS = "Another article says"
ALSO_SAYS = "It could also be"

DECLINED = "The articles don't say."
REASONS = {
    "empty_index": "There are no articles to ask yet.",
    "nothing_retrieved": "Nothing in them comes near this question.",
    "no_span": "Some of it is near, but none of it is an answer.",
    "low_confidence": "The best guess is too unsure to call an answer.",
}
BEST_GUESS = "Show the best guess"
NEAREST = "Nearest passage"
NOT_AN_ANSWER = "not an answer"
TRY = "Try a name, a place or a word that would stand in the article."

PREVIOUS = "previous place"
NEXT = "next place"
WHOLE = "Whole article"
PASSAGE = "Back to the passage"
OTHER_PLACES = "Other places that say so"
OTHER_ANSWERS = "Other answers"
WHOLE_GONE = "This article is no longer in the index."
WHOLE_FAILED = "The server does not answer. Is it still running?"
CUT = "The article goes on; only the part around the quote is shown."

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


def agreement(places: int, articles: int) -> str:
    """How many places of how many articles say it."""
    if articles > 1:
        return f"{articles:,} articles say so"
    return "in 1 article" if places == 1 else f"in 1 article, {places:,} places"


def place_of(n: int, total: int) -> str:
    """Where we are among the places."""
    return f"place {n:,} of {total:,}"


def position(start: int, end: int, total: int | None) -> str:
    """Which characters these are, the offsets of the contract."""
    return f"characters {start:,}–{end:,}" + (f" of {total:,}" if total is not None else "")


def spoken_answer(quote: str, sure: str) -> str:
    """What a screen reader says when an answer is there."""
    return f"Answer: {quote}. {sure}."


def port_taken(port: int) -> str:
    """Error line: the port the person asked for is in use."""
    return f"port {port} is taken; choose another with --port {port + 1}"


def port_moved(port: int, used: int) -> str:
    """The default port was in use, so the next free one serves."""
    return f"port {port} is taken, so this is on {used}"


def bad_host(host: str) -> str:
    """Error line: the address is not one of this machine."""
    return f"cannot listen on {host}: not an address of this machine; leave --host out for 127.0.0.1"


def bad_port(text: str) -> str:
    """Error line: not a port number."""
    return f"not a port: {text}; a number from 1 to 65535"


def opening(index: str) -> str:
    """Said while the index and the models load."""
    return f"opening {index} …"


def serving(url: str, counts_: str) -> str:
    """Said once the page is up."""
    return f"{counts_} — open {url} in a browser (Ctrl-C to stop)"


def exposed(host: str) -> str:
    """Warning: the page is open to others."""
    return f"note: {host} lets other machines reach this page, and nobody is asked for a password"


ABOUT = "Ask the articles in a browser."
HELP_INDEX = "the index to ask (default: index)"
HELP_HOST = "address to listen on (default: 127.0.0.1, this machine only)"
HELP_PORT = "port to listen on (default: 7860, or the next free one)"
