"""A progress bar on the terminal."""

import contextlib
import sys
from collections.abc import Iterator

from bam_engine.progress import Report


@contextlib.contextmanager
def bar(title: str, unit: str) -> Iterator[Report]:
    """Yield a ``report`` that draws a bar on standard error; where that is no terminal, it draws it rarely."""
    from tqdm import tqdm

    with tqdm(desc=title, unit=f" {unit}", mininterval=0.1 if sys.stderr.isatty() else 15) as progress:

        def report(done: int, total: int | None, message: str = "") -> None:
            if done < progress.n:  # another part of the work counts from 0
                progress.initial = 0
                progress.reset()
            if total is not None:
                progress.total = total
            if progress.n == 0 and done:  # what a resumed run finds finished does not count towards the rate
                progress.initial = progress.n = progress.last_print_n = done
            if message:
                progress.set_postfix_str(message, refresh=False)
            progress.update(done - progress.n)

        yield report
