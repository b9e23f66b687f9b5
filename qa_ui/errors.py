"""What whoever asked is told about an error; the rest is for the terminal."""

from __future__ import annotations

import sys
import traceback

from qa.types import ArticleError, IndexBusyError, NotFoundError, QuestionError, RefError

from . import words
from .load import BusyError

# Their message is meant for whoever asked; others may name this machine's files.
FOR_PEOPLE = (QuestionError, RefError, NotFoundError, ArticleError, IndexBusyError, BusyError)


def one_line(error: BaseException) -> str:
    """What a person is told about an error; what is a defect, or this machine's business, goes to the terminal."""
    if isinstance(error, FOR_PEOPLE):
        return " ".join(str(error).split())
    traceback.print_exception(error, file=sys.stderr)
    return words.FAILED
