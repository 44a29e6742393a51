"""Read an exported dataset: SQLite and pandas are all it takes.

    python examples/read_the_export.py DATASET.sqlite

Run ``label_by_script.py`` first: it writes ``dataset.sqlite`` into its workspace.
"""

import contextlib
import sqlite3
import sys
from pathlib import Path

import pandas as pd


def main(file: Path) -> None:
    """Print the images that score highest, what people say of them, and the evidence for the threshold."""
    with contextlib.closing(sqlite3.connect(file)) as dataset:
        best = pd.read_sql(
            """
            select src as image, scores.colourful as score, automatic_labels.colourful as decision, label as people_say
            from modules
            join scores using (mid)
            join automatic_labels using (mid)
            left join crowd_labels on crowd_labels.mid = modules.mid and crowd_labels.attribute = 'colourful'
            order by score desc
            limit 5
            """,
            dataset,
        )
        question, evidence = dataset.execute("select question, evidence from attributes").fetchone()

    best["image"] = best["image"].map(lambda path: Path(path).name)
    print(question)
    print(evidence)
    print(best.to_string(index=False))


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
