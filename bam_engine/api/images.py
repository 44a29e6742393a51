"""The images of a collection: adding, listing and removing them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bam_engine.archives import FOLDER, ingest_images
from bam_engine.collection import IngestResult
from bam_engine.collection.bucket_ingest import ingest_bucket
from bam_engine.gallery.tag_facet import tags_at
from bam_engine.progress import Report, silent
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import count_images, member_rows, rows_at
from bam_engine.workspace.vectors import embedded_rows


class Images:
    """What a :class:`~bam_engine.Collection` does with its images."""

    workspace: Workspace

    def __len__(self) -> int:
        return count_images(self.workspace)

    def add_images(
        self,
        folder: str | Path,
        *,
        metadata: str | Path | None = None,
        project: Literal["none", "folder"] = "none",
        verify: bool = False,
        report: Report = silent,
    ) -> IngestResult:
        """Add the images of a folder and its subfolders. Files stay where they are; adding them again changes nothing.

        An image is its bytes: renamed files keep their rows, and a file that has changed is a new image.

        Parameters
        ----------
        folder
            Where the images are; or a zip, tar (WebDataset) or Parquet file. The images of archives, also of those in
            the folder, are copied into the folder of the workspace.
        metadata
            A CSV with a column ``path`` and any of ``title``, ``project``, ``license``, ``mature_content``.
        project
            ``"folder"`` makes each subfolder a project: images of one maker, of which some may be near-copies.
        verify
            Read every byte of known files, too. Otherwise those with an unchanged size and times are not read.
        report
            Called with (done, total, message) after each batch.

        Returns
        -------
        IngestResult
            Counts, and the files that could not be read as ``unreadable``, each with ``uri`` and ``reason``.

        Examples
        --------
        >>> result = bam.add_images("pictures")
        >>> result.existing, result.unreadable
        (60, [])
        """
        return ingest_images(
            self.workspace.catalogue,
            self.workspace.thumbnails,
            folder,
            home=self.workspace.folder / FOLDER,
            metadata=metadata,
            project=project,
            verify=verify,
            apart=self.workspace.own_folders,
            report=report,
        )

    def add_bucket(
        self,
        address: str,
        *,
        endpoint_url: str | None = None,
        anonymous: bool | None = None,
        metadata: str | Path | None = None,
        project: Literal["none", "folder"] = "none",
        verify: bool = False,
        report: Report = silent,
    ) -> IngestResult:
        """Add the images of a bucket, or of a folder in it. They stay where they are, and are read from there.

        Parameters
        ----------
        address
            ``s3://BUCKET/FOLDER``, ``gs://`` or ``az://``; the package that reads it is an extra of ``bam-engine``:
            ``s3``, ``gcs`` or ``azure``. Credentials come from the environment or the provider's own configuration, and
            are never stored.
        endpoint_url
            The server of the bucket if it is not the provider's own, such as MinIO. It is remembered for the bucket;
            None for what is remembered.
        anonymous
            Ask without credentials; remembered, and None, as ``endpoint_url``.
        metadata, project, verify, report
            As in :meth:`add_images`; paths in ``metadata`` are relative to ``address``.

        Returns
        -------
        IngestResult
            As of :meth:`add_images`.

        Raises
        ------
        BucketUnavailable
            The bucket does not answer, or refuses the credentials. What was added stays, and adding it again goes on.

        Examples
        --------
        >>> bam.add_bucket("s3://art/birds", endpoint_url="https://minio.example").added  # doctest: +SKIP
        1200
        """
        return ingest_bucket(
            self.workspace.catalogue,
            self.workspace.thumbnails,
            address,
            endpoint_url=endpoint_url,
            anonymous=anonymous,
            metadata=metadata,
            project=project,
            verify=verify,
            report=report,
        )

    def images(self) -> pd.DataFrame:
        """Return one line per image, by row.

        Columns are ``path``, ``file`` (its state), ``title``, ``project``, ``width``, ``height``, ``license``,
        ``mature_content``, ``embedded`` (whether the encoder in use has an embedding of it) and ``tags`` (a list).

        Examples
        --------
        >>> images = bam.images()
        >>> print(images.loc[0, "width"], images.loc[0, "height"], images.loc[0, "embedded"])
        64 64 True
        """
        rows = member_rows(self.workspace)
        tags = tags_at(self.workspace, rows)
        images = self.workspace.catalogue.images(rows)
        columns = {
            "path": [image.uri for image in images],
            "file": [image.status for image in images],
            "title": [image.title for image in images],
            "project": [image.project_id for image in images],
            "width": [image.width for image in images],
            "height": [image.height for image in images],
            "license": [image.license for image in images],
            "mature_content": [image.mature_content for image in images],
            "embedded": np.isin(rows, embedded_rows(self.workspace)),
            "tags": [tags.get(place, []) for place in range(len(rows))],
        }
        return pd.DataFrame(columns, index=pd.Index(rows, name="row"))

    def remove_images(
        self, images: Iterable[int | str | Path], *, reason: str = "from Python", annotator: str | None = None
    ) -> int:
        """Take images out of the collection, by row or path (a folder: all images below it); return how many.

        They are asked, listed, counted and exported no more. Rows, embeddings and answers stay, so that
        :meth:`return_images` brings them back as they were. ``annotator`` is the name of the person who does it.

        Raises
        ------
        NotFound
            A path names no image.
        CollectionError
            None of the images is in the collection.

        Examples
        --------
        >>> bam.remove_images([0, 1], reason="covers", annotator="ada"), len(bam)
        (2, 58)
        >>> bam.return_images([0, 1]), len(bam)
        (2, 60)
        """
        by = self._actor(annotator)
        return self.workspace.removals.remove(self._rows(images), reason=reason, by=by).images

    def return_images(self, images: Iterable[int | str | Path], *, annotator: str | None = None) -> int:
        """Bring removed images back into the collection, by row or path; return how many there were.

        ``annotator`` is the name of the person who does it.

        Examples
        --------
        >>> bam.remove_images([5]), bam.return_images([5]), bam.return_images([5])
        (1, 1, 0)
        """
        return self.workspace.removals.bring_back(self._rows(images), by=self._actor(annotator))

    def _actor(self, annotator: str | None) -> int | None:
        return None if annotator is None else self.workspace.annotators.actor(annotator)

    def _rows(self, images: Iterable[int | str | Path]) -> NDArray[np.int64]:
        rows = [
            rows_at(self.workspace, each) if isinstance(each, str | Path) else np.array([each], np.int64)
            for each in images
        ]
        return np.unique(np.concatenate([np.empty(0, np.int64), *rows]))
