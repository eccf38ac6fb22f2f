"""Runs `python -m fanin.trace`."""

import sys

from .command import main

if __name__ == "__main__":
    sys.exit(main())
