"""``python -m qa``."""

import contextlib
import os
import sys

try:
    from qa.cli import main

    status = main()
except KeyboardInterrupt:  # before there is anybody to say it nicely
    status = 130
# Libraries' threads may be in the middle of something, and crash when the interpreter is taken down around them: seen
# at the end of a batch on a busy machine, all answers given. What is committed is on disk, and everything of ours was
# closed on the way here.
for stream in (sys.stdout, sys.stderr):
    with contextlib.suppress(OSError, ValueError):
        stream.flush()
os._exit(status)
