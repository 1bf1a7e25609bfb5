"""Makes `python -m skmm_core` the command line."""

import sys

from skmm_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
