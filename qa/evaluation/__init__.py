"""Measure the program on questions whose answers are known: ``python -m qa evaluate``."""
