"""The commands of those who measure, train and tune: ``qa evaluate``, ``train``, ``average``, ``calibrate``,
``quantize`` and ``tune``. What they need is imported when they run: answering does without it.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import fields
from pathlib import Path

from qa.options import misused
from qa.printing import bar, say


def evaluate(options: argparse.Namespace) -> int:
    """Measure answers, compare results, or hold them to gates. Returns the exit status."""
    from qa.evaluation import runner
    from qa.evaluation.compare import compare, format_comparison
    from qa.evaluation.gate import failures, load_gates
    from qa.evaluation.plots import check_library
    from qa.evaluation.report import format_table
    from qa.evaluation.slices import format_slices

    if bool(options.datasets) == bool(options.compare):
        misused(options.command, "give either DATASET or --compare A.json B.json")
    if options.compare:
        print(format_comparison(compare(*options.compare)))
        return 0
    gates = load_gates(options.gate) if options.gate else []
    if options.report:
        check_library()
    results = runner.evaluate(
        options.datasets, index=options.index, reader_only=options.reader_only, absent=options.absent,
        raw=options.raw, encoder=options.encoder, reader=options.reader, limit=options.limit,
    )  # fmt: skip
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if options.report:
        from qa.evaluation.page import page

        Path(options.report).write_text(page(results), encoding="utf-8", errors="replace")
        say(f"wrote {options.report}")
    print(format_table(results))
    for entry in results if options.slices else ():
        if "slices" in entry:
            print(f"\n{entry['dataset']}\n{format_slices(entry)}")
            print(
                "went wrong:",
                ", ".join(f"{n} {what}" for what, n in entry["went_wrong"].items()) or "nothing",
            )
    closed = failures(gates, results)
    for line in closed:
        say(f"gate: {line}")
    return 1 if closed else 0


def train(options: argparse.Namespace) -> int:
    """Train a reader. Returns the exit status."""
    from qa.training.settings import Settings
    from qa.training.train import train as run

    try:
        settings = Settings(**{choice.name: getattr(options, choice.name) for choice in fields(Settings)})
    except ValueError as error:
        misused("train", str(error))
    with bar(None, "") as shown:
        told = -60.0

        def tell(what: str, done: int, of: int) -> None:
            nonlocal told
            if shown.total != of or done < shown.n:
                shown.reset(total=of)
            shown.set_description(what, refresh=False)
            shown.update(done - shown.n)
            if shown.disable and (time.monotonic() > told + 60 or done == of):  # a log file: a line a minute
                say(f"{what}: {done} of {of}")
                told = time.monotonic()

        out = run(
            options.data, options.out, base=options.base, settings=settings,
            weights=dict(options.weight), tell=tell,
        )  # fmt: skip
    say(f"wrote {out}; next: python -m qa quantize --reader {out}")
    return 0


def average(options: argparse.Namespace) -> int:
    """Average readers' weights. Returns the exit status."""
    from qa.training.average import average as mean

    out = mean(options.readers, options.out)
    say(f"wrote {out}; next: python -m qa quantize --reader {out}")
    return 0


def calibrate(options: argparse.Namespace) -> int:
    """Fit a reader's confidence. Returns the exit status."""
    from qa.training.calibrate import calibrate as fit

    with bar(None, "Asking") as shown:
        path, made = fit(
            options.data, reader=options.reader, encoder=options.encoder, questions=options.questions,
            held_out=options.held_out, seed=options.seed, tell=shown.update,
        )  # fmt: skip
    say(f"wrote {path}: ranking {made.ranking}, threshold {made.threshold}")
    return 0


def quantize(options: argparse.Namespace) -> int:
    """Make the int8 graph of a reader or of the encoder. Returns the exit status."""
    from qa.reader import DEFAULT
    from qa.training import quantize as module

    if options.encoder and options.reader:
        misused(options.command, "--encoder and --reader exclude each other: one graph is made at a time")
    settings = {"pairs": options.pairs, "seed": options.seed}
    if options.encoder:
        path = module.quantize_encoder(options.data, name=options.encoder, **settings)
    else:
        path = module.quantize(options.reader or DEFAULT, options.data, **settings)
    say(f"wrote {path}; calibrate next: python -m qa calibrate")
    return 0


def tune(options: argparse.Namespace) -> int:
    """Choose an index's settings on one's own questions. Returns the exit status."""
    from qa.training.tune import apply, format_tuning
    from qa.training.tune import tune as choose

    models = {"reader": options.reader, "encoder": options.encoder}
    with bar(None, "Asking", "cut") as shown:

        def tell(what: str, done: int, of: int) -> None:
            shown.total = of
            shown.set_description(what, refresh=False)
            shown.update(done - shown.n)

        found = choose(options.data, options.index, **models, seed=options.seed, tell=tell)
    print(format_tuning(found))
    if not found.choice.better and not options.force:
        say(
            "kept as it is: on questions not seen, what was chosen is no better than chance; more questions may tell"
        )
        return 0
    if found.calibration is None:
        say("confidence will be unknown: these questions do not tell how sure one may be")
    if options.dry_run:
        return 0
    apply(found, options.index, **models)
    say(f"wrote settings and calibration into {options.index}")
    return 0
