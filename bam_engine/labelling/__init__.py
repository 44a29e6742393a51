"""Labelling tasks: which images need whose answers, and the resulting labels."""
