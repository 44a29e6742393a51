"""From a pile of unlabelled images to a dataset people can trust."""

__version__ = "0.4.0"
"""The one place that states it: the package, ``bam --version`` and every report read it here."""
