"""Train a reader, quantise it, and calibrate its confidence. Nothing here is needed to answer."""
