"""An article that tries everything."""

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
