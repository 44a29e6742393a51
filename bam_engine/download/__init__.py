"""Lists of URLs: reading them, fetching their pictures politely and safely, and the status of each URL."""

from bam_engine.download.bam_scores import best_first, best_of, places_of
from bam_engine.download.downloading import Downloaded, Stores, download_list, resume_list
from bam_engine.download.hosts import parse_rules, rewritten
from bam_engine.download.lists import SUFFIXES, Columns, Line, Preview, check_list, preview
from bam_engine.download.outcomes import KINDS, Failure
from bam_engine.download.settings import Settings
from bam_engine.download.statuses import COLUMNS, Counts
from bam_engine.download.url_lists import FOLDER, UrlList, name_of, reading, url_list, url_lists
from bam_engine.download.urls import is_url, parse_url

__all__ = [
    "COLUMNS",
    "FOLDER",
    "KINDS",
    "SUFFIXES",
    "Columns",
    "Counts",
    "Downloaded",
    "Failure",
    "Line",
    "Preview",
    "Settings",
    "Stores",
    "UrlList",
    "best_first",
    "best_of",
    "check_list",
    "download_list",
    "is_url",
    "name_of",
    "parse_rules",
    "parse_url",
    "places_of",
    "preview",
    "reading",
    "resume_list",
    "rewritten",
    "url_list",
    "url_lists",
]
