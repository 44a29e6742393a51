"""From a pile of unlabelled images to a dataset people can trust."""

VERSION = "0.1.0"
"""As in ``pyproject.toml``; a report names it."""
