"""What ``--help`` shows below the flags: lines to try, and what they are for. Each is one that can be typed so."""

from __future__ import annotations

START = """\
to begin with:
  python -m qa index ~/articles --index my-index     index a folder; again after changes
  python -m qa ask "who said so" --index my-index    ask it
  python -m qa COMMAND --help                        flags and examples of a command

data goes to stdout, words to stderr; the exit status is 0 when done, 1 when it failed, 2 for wrong usage
"""

# By command: (what to type after ``python -m qa``, what it is for).
EXAMPLES: dict[str, list[tuple[str, str]]] = {
    "index": [
        ("index ~/articles --index my-index", "only what changed since the last time is read again"),
        ("index ~/articles --index my-index --sync --dry-run", "what would be added, updated and removed"),
        ("index news.csv letters.zip", "tables and archives hold many articles"),
    ],
    "ask": [
        ('ask "where does niu jun work"', "the quote, its place, and how sure"),
        ('ask "who is niu jun" --articles "news/*.txt" --min-confidence 0', "only there, and never decline"),
        ("ask --batch questions.txt > answers.jsonl", "a question a line in, a JSON answer a line out"),
        ("ask --batch - --top-k 1 < questions.txt", "in a pipeline: lines are answered as they come"),
        ('ask "who is niu jun" --json | jq -r .answer', "one value of the JSON"),
    ],
    "search": [
        ('search "missile tests" --top-k 3', "passages, best first, with refs"),
        ('search "missile tests" --json | jq -r ".[].ref"', "their refs alone"),
    ],
    "articles": [
        ("articles --index my-index", "ids, lengths and sources"),
        ("articles --json | jq -r '.[].article'", "ids alone"),
    ],
    "remove": [
        ("remove mill-7f3a21c9", "references to its quotes can still be verified"),
        ("remove mill-7f3a21c9 --forget", "and now they cannot: its texts are gone to the last byte"),
    ],
    "gc": [
        ("gc --older-than 30d --dry-run", "which texts would go"),
        ("gc --older-than 30d", "delete them for good"),
    ],
    "verify": [
        ('verify "mill-7f3a21c9@0123456789ab#10-20"', "is what was cited still there?"),
        ('verify --quote "Niu Jun of Harvard University"', "does any article say so?"),
        ('verify --quote "the mill burned" --articles "letters/*" --json', "as JSON, looking only there"),
    ],
    "evaluate": [
        ("evaluate questions.jsonl --index my-index", "your own questions: {question, answers} a line"),
        ("evaluate squad.json.gz --reader-only --limit 500", "the reader alone, on each gold paragraph"),
        ("evaluate questions.jsonl --report out.html", "a page of curves, slices and errors"),
        ("evaluate questions.jsonl --json before.json", "keep the figures"),
        ("evaluate --compare before.json after.json", "and see what a change made better and worse"),
    ],
    "copy": [
        ("copy index milvus://127.0.0.1:19530/articles", "to a server; run again, it goes on"),
        ("copy articles.db index-again", "and from a Milvus Lite file back into a folder"),
    ],
    "train": [("train --data train.json.gz --out my-reader", "quantize and calibrate it afterwards")],
    "tune": [
        ("tune questions.jsonl --index my-index", "asks them with each choice; writes the better one"),
        ("tune questions.jsonl --dry-run", "only says what would be chosen"),
    ],
    "average": [("average reader-1 reader-2 --out my-reader", "of two runs from the same weights")],
    "calibrate": [
        ("calibrate --reader my-reader --data kept-back.json.gz", "writes calibration.json into it")
    ],
    "quantize": [
        ("quantize --reader my-reader --data train.json.gz", "writes int8.xml and int8.bin into it")
    ],
}


def epilog(command: str) -> str:
    """The examples of a command as ``--help`` shows them."""
    lines = [f"  python -m qa {typed}\n      {words}" for typed, words in EXAMPLES[command]]
    return "\n".join(["examples:", *lines]) + "\n"
