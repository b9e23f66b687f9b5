"""``python -m qa``."""

import contextlib
import os
import sys

try:
    from qa.cli import main

    status = main()
except KeyboardInterrupt:  # before there is anybody to say it nicely
    status = 130
if status == 130:
    # Libraries' threads may be in the middle of a call, and crash when the interpreter is taken down around them.
    # What is committed is on disk, and everything of ours was closed on the way here.
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(status)
sys.exit(status)
