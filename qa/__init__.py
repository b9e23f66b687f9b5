"""Ask your own articles a question; get a verbatim quote with its exact place, or an honest no."""
