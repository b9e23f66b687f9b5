"""``python -m qa``."""

import sys

try:
    from qa.cli import main
except KeyboardInterrupt:  # before there is anybody to say it nicely
    sys.exit(130)

sys.exit(main())
