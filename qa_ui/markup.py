"""Text as HTML. Everything from an article, a file name or a question passes through ``esc``; nothing else may."""

from __future__ import annotations

import html

from . import words


def esc(text: object) -> str:
    r"""Text for HTML content and attributes, so that it comes out of the browser as it went in.

    NUL and lone surrogates cannot stand in a page and become U+FFFD; CR would be turned into LF and is spelled out.

    >>> esc('<b onclick="x">&amp;')
    '&lt;b onclick=&quot;x&quot;&gt;&amp;amp;'
    """
    plain = "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in str(text))
    return html.escape(plain, quote=True).replace("\r", "&#13;")


def button(label: str, action: str, css: str = "", aria: str = "", **data: object) -> str:
    """A button that the page's script acts on; ``label`` is HTML, its name ``aria`` and ``data`` are not."""
    extra = "".join(f' data-{name}="{esc(value)}"' for name, value in data.items())
    extra += f' aria-label="{esc(aria)}"' if aria else ""
    return f'<button type="button" class="{css}" data-action="{action}"{extra}>{label}</button>'


def small(text: str) -> str:
    """A piece of text beside the point; nothing for nothing."""
    return f'<span class="small">{esc(text)}</span>' if text else ""


def said(text: str) -> str:
    """An answer's words, in quotation marks that the style sheet sets."""
    return f'<q class="words" dir="auto">{esc(text)}</q>'


def sure(confidence: float | None, short: bool = False) -> str:
    """``Very likely · 91 %``, in words for people and screen readers alike."""
    if confidence is None:
        return "" if short else words.UNCALIBRATED
    return f"{words.sure_word(confidence)} · {words.percent(confidence)}"
