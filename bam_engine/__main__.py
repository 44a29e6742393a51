"""``python -m bam_engine``: the steps of the app on the command line."""

import sys

from bam_engine.cli import main

if __name__ == "__main__":
    sys.exit(main())
