"""Make a reader: quantise it for the CPU, calibrate its probabilities. Needs ``requirements-train.txt``."""
