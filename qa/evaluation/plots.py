"""The report's curves as SVG, drawn by matplotlib: text stays text, and colours are the page's own.

matplotlib, since it draws without a browser, a network or a line of JavaScript: what is drawn needs no script to be
seen, and can be printed, zoomed and read aloud. Answering needs none of it: it is in requirements-report.txt.
Nothing that an article or a question says is drawn.
"""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from qa.evaluation.curves import Bin, Histogram, Point
from qa.types import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_SIZE = (5.0, 3.3)  # inches, of 72 units each: readable on a telephone, where it is as wide as the page
# Stand-ins, which become the page's colours, of its light or its dark scheme.
INK, FAINT, LINE, MARK, CARD = "#010203", "#040506", "#070809", "#0a0b0c", "#0d0e0f"
_COLOURS = {
    INK: "var(--ink)",
    FAINT: "var(--rule)",
    LINE: "var(--accent)",
    MARK: "var(--wrong)",
    CARD: "var(--card)",
}
_STYLE: Mapping[str, Any] = {
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2,
    "legend.frameon": False,
}


def check_library() -> None:
    """Before minutes are spent on asking.

    :raises DatasetError: if matplotlib is missing.
    """
    if find_spec("matplotlib") is None:
        raise DatasetError("--report draws with matplotlib; run: pip install -r requirements-report.txt")


def draw_risk_coverage(points: Sequence[Point], threshold: float | None, name: str) -> str:
    """Share wrong among the answered, by the share answered; with the place of the default threshold."""
    with _axes("Share of the questions answered", "Wrong among these") as (axes, out):
        axes.step([p.coverage for p in points], [p.risk for p in points], where="post", color=LINE)
        answered = [p for p in points if threshold is not None and p.confidence >= threshold]
        if answered:
            axes.plot(answered[-1].coverage, answered[-1].risk, "o", color=MARK, markersize=7)
            axes.annotate(
                f"as shipped: {answered[-1].coverage:.0%} answered,\n{answered[-1].risk:.0%} of these wrong",
                (answered[-1].coverage, answered[-1].risk), xytext=(-8, 10), textcoords="offset points", ha="right",
                bbox={"facecolor": CARD, "edgecolor": "none", "alpha": 0.8, "pad": 1},
            )  # fmt: skip
        _shares(axes, "both")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, max(0.1, 1.3 * max(p.risk for p in points[len(points) // 20 :])))
    return _svg(out, name, "Risk and coverage: the more questions it answers, the more answers are wrong")


def draw_reliability(bins: Sequence[Bin], name: str) -> str:
    """Share right by confidence, with 95 % intervals, beside the diagonal that it should be."""
    with _axes("Confidence", "Right") as (axes, out):
        axes.plot([0, 1], [0, 1], "--", color=INK, linewidth=1)
        x, y = [b.confidence for b in bins], [b.right for b in bins]
        reach = [[max(0.0, b.right - b.low) for b in bins], [max(0.0, b.high - b.right) for b in bins]]
        axes.errorbar(x, y, yerr=reach, fmt="o-", color=LINE, elinewidth=1, capsize=3, markersize=5)
        _shares(axes, "both")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
    return _svg(
        out, name, "Reliability: the share that is right, by confidence; on the dashed line both agree"
    )


def draw_recall(values: Sequence[float], name: str) -> str:
    """Recall@k."""
    with _axes("Passages looked at, k", "The answer's place is among them") as (axes, out):
        axes.plot(range(1, len(values) + 1), values, "o-", color=LINE, markersize=4)
        for k in (1, 5, 20):
            if k <= len(values):
                axes.annotate(
                    f"{values[k - 1]:.0%}", (k, values[k - 1]), xytext=(0, -14), textcoords="offset points",
                    ha="center",
                )  # fmt: skip
        _shares(axes, "y")
        axes.set_xticks([1, 5, 10, 15, 20])
        axes.set_ylim(max(0.0, min(values) - 0.15), 1.02)
    return _svg(out, name, "Recall at k: how often the answer's place is among the first k passages")


def draw_latency(found: Histogram, p50: float | None, p95: float | None, name: str) -> str:
    """How many questions took how long."""
    with _axes("Milliseconds", "Questions") as (axes, out):
        widths = [b - a for a, b in zip(found.edges, found.edges[1:], strict=False)]
        axes.bar(
            found.edges[:-1], found.counts, widths, align="edge", color=LINE, edgecolor=FAINT, linewidth=0.3
        )
        top = max(found.counts)
        for label, value in (("p50", p50), ("p95", p95)):
            if value is not None and value <= found.edges[-1]:
                axes.plot([value, value], [0, top * 1.05], color=MARK, linewidth=1.2)
                axes.text(value, top * 1.08, f"{label} {value:.0f} ms", ha="center")
        axes.set_xlim(0, found.edges[-1])
        axes.set_ylim(0, top * 1.18)
        axes.grid(False, axis="x")
    return _svg(out, name, "Time to answer: how many questions took how long")


@contextmanager
def _axes(x: str, y: str) -> Iterator[tuple[Axes, io.StringIO]]:
    """Axes to draw on; when left, the SVG is in the buffer."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    out = io.StringIO()
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": f"{x} {y}"}):  # the same data, the same file
        figure = Figure(figsize=_SIZE, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.set_axisbelow(True)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        yield axes, out
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})


def _shares(axes: Axes, which: str) -> None:
    from matplotlib.ticker import PercentFormatter

    for axis in [axes.xaxis] * (which == "both") + [axes.yaxis]:
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _svg(out: io.StringIO, name: str, title: str) -> str:
    """Fit for a page that has others: ids of its own, its own colours, a title for who cannot see it."""
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)  # by any other prefix a page's parser does not know it
    root = ET.fromstring(out.getvalue())
    for parent in list(root.iter()):
        for child in [c for c in parent if c.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style")]:
            parent.remove(child)  # a style in an SVG holds for the whole page
    whole = ET.tostring(root, encoding="unicode")
    used = {e.get("id") for e in root.iter() if f"#{e.get('id')}" in whole}
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {"role": "img", "aria-labelledby": f"{name}-title"}
    label = ET.Element(f"{{{_SVG}}}title", {"id": f"{name}-title"})
    label.text = title
    root.insert(0, label)
    text = ET.tostring(root, encoding="unicode")
    for colour, variable in _COLOURS.items():
        text = text.replace(colour, variable)
    for kept in sorted(filter(None, used)):
        text = text.replace(f'id="{kept}"', f'id="{name}-{kept}"').replace(f"#{kept}", f"#{name}-{kept}")
    return text
