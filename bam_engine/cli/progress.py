"""Progress of long work as a bar on a terminal."""

import contextlib
import sys
from collections.abc import Iterator

from bam_engine.progress import Report


@contextlib.contextmanager
def bar(title: str, unit: str) -> Iterator[Report]:
    """Give a ``report`` that draws a bar on standard error while the block runs, rarely where that is no terminal."""
    from tqdm import tqdm

    with tqdm(desc=title, unit=f" {unit}", mininterval=0.1 if sys.stderr.isatty() else 15) as drawn:

        def report(done: int, total: int | None, message: str = "") -> None:
            if total is not None:
                drawn.total = total
            if drawn.n == 0 and done:  # what a resumed run found finished does not count towards the rate
                drawn.initial = drawn.n = drawn.last_print_n = done
            if message:
                drawn.set_postfix_str(message, refresh=False)
            drawn.update(done - drawn.n)

        yield report
