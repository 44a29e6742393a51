"""The results of a collection: what each encoder is worth, and the exported dataset."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import pandas as pd

from bam_engine.api.encoders import comparison_table, results_table
from bam_engine.progress import Report, silent
from bam_engine.reporting.export import export, form_of
from bam_engine.reporting.image_contents import Content
from bam_engine.reporting.results import overlooked
from bam_engine.training.comparison import train_behind
from bam_engine.workspace import Workspace


class Results:
    """What a :class:`~bam_engine.Collection` says of its attributes, and writes."""

    workspace: Workspace

    def export(
        self,
        target: str | Path,
        *,
        form: Literal["sqlite", "csv", "parquet", "jsonl", "imagefolder", "folders", "fiftyone", "webdataset"]
        | None = None,
        raw_text: bool = False,
        encoders: Mapping[str, str] = MappingProxyType({}),
        attributes: Sequence[str] = (),
        accepted: bool = False,
        splits: Sequence[float] | None = None,
        seed: int = 0,
        pictures: Literal["copy", "link", "hardlink"] = "copy",
        report: Report = silent,
    ) -> list[Path]:
        """Write the dataset and return the files: images, labels by people, scores, and labels by the thresholds.

        Parameters
        ----------
        target
            The file or folder to write.
        form
            ``"sqlite"``, one file with the tables of BAM, or ``"csv"``, a folder: the whole dataset with every answer.
            ``"parquet"`` or ``"jsonl"``: one file with a row for each image. ``"imagefolder"`` (Hugging Face),
            ``"folders"`` (one for each label), ``"fiftyone"`` or ``"webdataset"``: a new folder with the pictures. By
            default it is told by the end of the name, and is ``"sqlite"`` if that says nothing.
        raw_text
            Write texts into CSV files unchanged. By default an apostrophe precedes each text that a spreadsheet would
            take for a formula.
        encoders
            By attribute, the encoder whose scores and decisions are exported (its key, spec or name) instead of those
            of the encoder in use. Its newest model counts; an earlier one is chosen by what :meth:`results` calls it.
            The files name the encoder and model of each attribute. A warning says where another encoder or an earlier
            model has more behind its result, such as an audit, and none is given.

        Examples
        --------
        >>> [path.name for path in bam.export("dataset", form="csv")]
        ['images.csv', 'annotations.csv', 'attributes.csv']
        """
        for name, other in overlooked(self.workspace, encoders).items():
            warnings.warn(
                f"{name}: {other.note} To export the other result: encoders={{{name!r}: {other.result.choice!r}}}.",
                stacklevel=2,
            )
        path = Path(target)
        return export(
            self.workspace,
            path,
            form=form or form_of(path),
            raw_text=raw_text,
            encoders=encoders,
            content=Content(tuple(attributes), accepted, splits, seed),
            pictures=pictures,
            report=report,
        )

    def results(self) -> pd.DataFrame:
        """Return one line for each attribute and encoder with a model: what its result is worth.

        Columns are ``attribute``, ``encoder`` (its key), ``name``, ``in_use``, ``newest`` (whether the model is the
        newest of its encoder), ``result`` (by which :meth:`export` finds it), ``labels`` (that the model was trained
        on), ``threshold``, ``standing`` (audited, certified, saved, suggested or scored) and ``audited_precision``. The
        encoder in use comes first, then the best standing. An earlier model has a line of its own where more stands
        behind it than behind the newest of its encoder.

        Examples
        --------
        >>> bam.results()[["attribute", "encoder", "standing"]].iloc[0].tolist()
        ['media_watercolor', 'builtin-v1', 'saved']
        """
        return results_table(self.workspace)

    def compare_encoders(self, *, train: bool = False, report: Report = silent) -> pd.DataFrame:
        """Return one line for each attribute and encoder: its average precision on the same validation labels.

        Columns are ``attribute``, ``encoder`` (its key), ``name``, ``average_precision`` with its 95% limits ``low``
        and ``high``, ``n`` (validation labels), ``labels`` (that the model was trained on), ``current`` (whether they
        are those of today), ``behind``, by how much the average precision is below that of the attribute's best
        encoder, with limits ``behind_low`` and ``behind_high`` (nan where the two have not learned the same labels),
        and ``problem``.

        Parameters
        ----------
        train
            First train the models that are missing or of other labels than those of today, of all encoders. One with a
            saved threshold or a certification is kept, since another training puts these out of use.
        report
            Called with (done, total, message) after each training.

        Examples
        --------
        >>> bam.compare_encoders()[["attribute", "encoder", "current"]].to_numpy().tolist()
        [['media_watercolor', 'builtin-v1', True]]
        """
        if train:
            train_behind(self.workspace, report=report)
        return comparison_table(self.workspace)
