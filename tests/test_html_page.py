import pytest
from file_helpers import at_locators, masked
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from qa.extract import Extract, Unreadable
from qa.html_page import _parse_html, html_page

PAGE = """<!doctype html>
<html><head><title>News | Site</title><meta property="og:title" content="Big  News">
<meta property="article:published_time" content="2021-02-03T10:00:00Z"><style>p {}</style></head>
<body class="has-sidebar">
<header>The Site <a href="/">Home</a></header>
<nav><ul><li>One</li><li>Two</li></ul></nav>
<main><article>
<header><h1>A &amp;lt;big&amp;gt; head
line</h1><p>By Ann</p></header>
<p>First <b>bold</b> words.<script>alert("no")</script> More<!-- hidden --> words.</p>
<div class="share-buttons">Share on X</div>
<aside><p>Aside</p><p>twice</p></aside>
<h2>Second</h2><section>Part one</section><section>Part two</section>
<p hidden>unseen</p><p style="DISPLAY:none; display: none">unseen</p><noscript>unseen</noscript>
<form>Your mail <input></form>
</article></main>
<footer>© 2020 The Site</footer>
</body></html>"""


def test_html_page():
    found = html_page(PAGE)
    assert found.text == (
        "The Site Home\n* One\n* Two\n\nA &lt;big&gt; head line\n\nBy Ann\n\nFirst bold words. More words.\n\n"
        "Share on X\n\nAside\n\ntwice\n\nSecond\n\nPart one\nPart two\nYour mail\n© 2020 The Site"
    )
    assert (found.title, found.date) == ("Big News", "2021-02-03")
    assert masked(found) == [
        "The Site Home",
        "* One\n* Two",
        "Share on X",
        "Aside\n\ntwice",
        "Your mail",
        "© 2020 The Site",
    ]
    assert at_locators(found, 6) == [("A &lt;", "A &lt;big&gt; head line"), ("Second", "Second")]


@pytest.mark.parametrize(
    "markup",
    [
        '<div role="navigation">X y</div>',
        '<div role="Banner">X y</div>',
        '<div role="contentinfo">X y</div>',
        '<div role="complementary">X y</div>',
        '<div role="search">X y</div>',
        '<div role="dialog">X y</div>',
        '<span aria-hidden="true">X y</span>',
        '<div class="cookie-banner">X y</div>',
        '<div id="CookieConsent">X y</div>',
        '<ol class="breadcrumb">X y</ol>',
        '<div class="a__newsletter-signup">X y</div>',
        '<ul class="wp-block social-links">X y</ul>',
        '<section class="related-articles">X y</section>',
        '<div class="left_sidebar">X y</div>',
        '<div id="menu">X y</div>',
        '<div class="promo">X y</div>',
        '<div class="advert">X y</div>',
        '<div class="ad-slot">X y</div>',
        "<button>X y</button>",
        "<menu>X y</menu>",
        "<select><option>X y</select>",
        "<textarea>X y</textarea>",
        "<aside><article><p>X y</p></article></aside>",
        "<footer>X y</footer>",
    ],
)
def test_page_furniture_is_masked(markup):
    found = html_page(f"<p>Before.</p>{markup}<p>After.</p>")
    assert masked(found) == ["X y"]
    assert found.text.replace("X y", "").split() == ["Before.", "After."]


@pytest.mark.parametrize(
    "markup",
    [
        '<p class="share-price">{}</p>',
        '<p class="social-security">{}</p>',
        '<div class="no-sidebar">{}</div>',
        '<div class="address admission shared-values">{}</div>',
        '<div class="sidebar-layout"><h1>T</h1>{}</div>',
        "<form><main>{}</main></form>",
        "<article><header>{}</header></article>",
        "<main><footer>{}</footer></main>",
        "<nav><h1>T</h1>{}",  # never closed
        '<article class="newsletter">{}</article>',
        '<body class="menu">{}',
    ],
)
def test_the_article_is_not_masked(markup):
    found = html_page(markup.format("Words of the article."))
    assert masked(found) == []
    assert "Words of the article." in found.text


def test_what_holds_most_of_a_long_page_is_not_furniture_by_its_class_alone():
    words = "Words of the article. " * 50
    assert masked(html_page(f'<form class="menu"><p>{words}</p></form><p>More.</p>')) == []
    # ... but a small part of it is, and so is whatever its tag names.
    assert masked(html_page(f'<p>{words * 2}</p><form class="menu">{words}</form>')) == [words.strip()]
    assert masked(html_page(f"<nav>{words}</nav><p>More.</p>")) == [words.strip()]


def test_a_page_cannot_mask_itself_by_the_attribute_used_inside():
    assert html_page("<p qa-mask='here'>Words.</p>") == Extract("Words.")


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (
            "<table><tr><th>Land<th>Capital<tr><td>France<td>Paris</table>end",
            "Land | Capital\nFrance | Paris\nend",
        ),
        ("<table><tr><td><p>Menu</p><td><p>Words</p></table>", "Menu\n\nWords"),  # a layout, not a table
        ("<table><tr><td><table><tr><td>a<td>b</table><td>c</table>", "a | b\nc"),
        ("a<br>b", "a\nb"),
        ("<pre>  a\n   b</pre>", "  a\n   b"),
        ("<dl><dt>a<dd>b</dl>", "a\nb"),
        ("<ol><li value='²'>a<li>b</ol>", "1. a\n2. b"),
        ("<p>a</p><?php echo 1 ?>b", "a\n\nb"),
        ("<?xml version='1.0' encoding='utf-16'?><p>a</p>", "a"),
        ("\ufeff<p>a</p>", "a"),
        ("a&#1;b&#xD800;c\x02d", "a\ufffdb\ufffdc\ufffdd"),
        ("&amp;lt; &lt;b&gt; &amp;#10; &bogus;", "&lt; <b> &#10; &bogus;"),
        ("<p style='margin-top: 100000em; padding-left: 9999em'>a</p><p>b</p>", "a\n\nb"),
        ("<p>a<p>b<i>c<font>d", "a\n\nbcd"),
        ("<svg><title>t</title><text>x</text></svg>a<template>y</template>", "a"),
        ("<title>t</title><article><p>a</p></article><p>b</p>", "a\n\nb"),
        ("plain < words & more", "plain < words & more"),
        ("", ""),
        ("<!-- only -->", ""),
    ],
)
def test_html_to_text(markup, text):
    assert html_page(markup).text.strip("\n") == text


@pytest.mark.parametrize(
    ("head", "title", "day"),
    [
        ("<title> A\n b </title>", "A b", None),
        ("<meta property=og:title content=' '><title>T</title>", "T", None),
        ("<h1>H <i>one</i></h1><h1>H2</h1>", "H one", None),
        ("<svg><title>Icon</title></svg>", None, None),
        ("<meta name=date content='3 May'><meta name=pubdate content=2020-01-02>", None, "2020-01-02"),
        ("<meta itemprop=datePublished content=2020-01-02>", None, "2020-01-02"),
        (
            "<nav><time datetime=2001-01-01>a</time></nav><time datetime=2020-01-02T10:00>b</time>",
            None,
            "2020-01-02",
        ),
        ("<time datetime=10:00>b</time>", None, None),
    ],
)
def test_html_title_and_date(head, title, day):
    found = html_page(head + "<p>x</p>")
    assert (found.title, found.date) == (title, day)


def test_headings_in_furniture_are_no_places():
    found = html_page("<aside><h2>Related</h2></aside><h2>Real</h2><h3> </h3><p>x</p>")
    assert at_locators(found, 4) == [("Real", "Real")]


def test_nesting():
    found = html_page("<div>" * 500 + "deep" + "</div>" * 500 + "<p>after</p>")
    assert found.text == "deep\n\nafter"
    assert html_page("<b><font>" * 900 + "deep").text == "deep"
    for depth in (1900, 100_000):
        with pytest.raises(Unreadable, match=r"^is nested too deeply to be read; "):
            html_page("<div>" * depth + "deep")


_BLOCK = st.sampled_from(
    ["p", "div", "ul", "li", "span", "h2", "pre", "blockquote", "table", "tr", "td", "b", "br"]
)
_HTML = st.recursive(
    st.text("ab &\n<\u00a0", max_size=5).map(lambda s: s.replace("&", "&amp;").replace("<", "&lt;")),
    lambda inner: st.builds(
        lambda tag, parts, nav: (
            f"<nav>x{''.join(parts)}y</nav>" if nav else f"<{tag}>{''.join(parts)}</{tag}>"
        ),
        _BLOCK,
        st.lists(inner, max_size=4),
        st.integers(0, 5).map(lambda n: n == 0),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, database=None)
@given(_HTML)
def test_masks_cover_just_the_masked_elements(markup):
    """Letters in <nav> are turned into capitals: then exactly the capitals must be masked."""
    root = _parse_html(f"<p>first</p>{markup}<p>last</p>")
    for nav in root.iter("nav"):
        for part in nav.iter():
            part.text = part.text and part.text.upper()
            if part is not nav:
                part.tail = part.tail and part.tail.upper()
    found = html_page(html.tostring(root, encoding="unicode"))
    covered = {i for start, end in found.masks for i in range(start, end)}
    assert {i for i, c in enumerate(found.text) if c.isupper()} == {
        i for i in covered if found.text[i].isalpha()
    }
    assert list(found.masks) == sorted(found.masks)
