"""``python -m bam_engine``: the same steps as in the app, without a browser."""

import sys

from bam_engine.cli import main

if __name__ == "__main__":
    sys.exit(main())
