"""``python -m boilerplate`` is the command line."""

import sys

from boilerplate.cli import main

if __name__ == "__main__":
    sys.exit(main())
