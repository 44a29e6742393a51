"""Pictures in archives: zip, tar, WebDataset shards, and Parquet files with embedded pictures.

In:  an archive, or a folder with some. Out: originals in a folder of the workspace, and images in the collection.
"""

from bam_engine.archives.ingesting import FOLDER, SUFFIXES, archives_in, ingest_archive, ingest_images

__all__ = ["FOLDER", "SUFFIXES", "archives_in", "ingest_archive", "ingest_images"]
