"""The images of a workspace: the catalogue, decoding, thumbnails, and adding a folder."""

from bam_engine.collection.browsing import (
    FolderContents,
    check_allowed,
    look_into,
    starting_folder,
)
from bam_engine.collection.catalogue import Catalogue
from bam_engine.collection.files import Details, FolderListing, check_folder, find_images, mark_as_cache, read_details
from bam_engine.collection.generated import Demo, demo_of, is_demo, mark_demo
from bam_engine.collection.images import MAX_PIXELS, ImageInfo, decode_image, examine, read_image
from bam_engine.collection.ingest import IngestResult, ingest_files, ingest_folder
from bam_engine.collection.known_files import State, look_at
from bam_engine.collection.names import Names
from bam_engine.collection.records import FILE_STATES, Image, NewImage, Problem
from bam_engine.collection.thumbnails import Thumbnails

__all__ = [
    "FILE_STATES",
    "MAX_PIXELS",
    "Catalogue",
    "Demo",
    "Details",
    "FolderContents",
    "FolderListing",
    "Image",
    "ImageInfo",
    "IngestResult",
    "Names",
    "NewImage",
    "Problem",
    "State",
    "Thumbnails",
    "check_allowed",
    "check_folder",
    "decode_image",
    "demo_of",
    "examine",
    "find_images",
    "ingest_files",
    "ingest_folder",
    "is_demo",
    "look_at",
    "look_into",
    "mark_as_cache",
    "mark_demo",
    "read_details",
    "read_image",
    "starting_folder",
]
