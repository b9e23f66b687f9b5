"""A result of ``evaluate`` as small as it may be, for the report and its page."""

from qa.evaluation.datasets import Question
from qa.evaluation.errors import count_errors, worst
from qa.evaluation.report import Asked, result
from qa.evaluation.slices import slices

MODELS = {"reader": "r@1", "encoder": "e@2", "calibration": {"sha256": "3", "threshold": 0.5}}


def ask(number, answers, forced, confidence, *, shipped=True, text="who", rank=1, ms=10.0, **more):
    """One question as it was asked; it is declined if not ``shipped``."""
    question = Question(str(number), text, answers, refused=more.pop("refused", ()))
    given = forced if shipped else None
    return Asked(question, bool(answers), forced, confidence, given, rank, ms, text, **more)


def entry(asked, name="q.jsonl"):
    """What ``evaluate`` makes of them."""
    made = result(name, [], asked, MODELS)
    made |= {"slices": slices(asked), "went_wrong": count_errors(asked), "errors": worst(asked)}
    return made | {"per_question": [one.to_json() for one in asked]}
