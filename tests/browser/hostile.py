"""An article that tries everything, and articles in other scripts."""

# What a text, its title and its source may try. Each would leave a mark in window.harm.
TRICKS = (
    "<script>window.harm=1</script>",
    '<img src=x onerror="window.harm=2">',
    "</span></div></section><h1 onclick=alert(1)>",
    "<svg/onload=window.harm=3>",
    "[link](javascript:window.harm=4) **bold** `code` # head",
    "{{7*7}} ${window.harm=5} `${window.harm=6}` {% raw %}",
    "$$\\frac{1}{2}$$ \\(x^2\\)",
    "&lt;b&gt; &amp; <!-- --> <style>*{display:none}</style>",
    "<iframe src=https://example.com></iframe> <link rel=stylesheet href=https://example.com/x.css>",
    "\"' onmouseover='window.harm=7' x=\"",
)
HOSTILE = (
    "The keeper of the old lock is Ada <b>Hill</b> of Dover. " + " and then ".join(TRICKS) + " said nobody."
)

SOURCE = '"><img src=x onerror="window.harm=8">.txt'
# What Markdown, HTML or LaTeX would have been made into
MADE = "script, img, svg, iframe, style, link, h1, a, b, code, em, strong:not(.flag *, h3 *), math, .katex, [onclick]"

# By title. The mixed one has a paragraph in each direction.
WORLD = {
    "The lock": "The keeper of the old lock is Ada Hill of Dover. She has kept it for thirty years.",
    "السفينة": "قال القبطان سامي إن السفينة Aurora وصلت إلى ميناء الإسكندرية يوم الأحد. وكان على متنها 40 راكبا.",
    "東京の橋": "東京の新しい橋は2019年に完成した。設計したのは建築家の山田花子である。橋の長さは300メートルだ。",
}
