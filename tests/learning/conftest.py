"""Hypothesis without deadlines: the first call of a test pays for importing scipy or scikit-learn."""

from hypothesis import settings

settings.register_profile("no deadline", deadline=None, max_examples=60)
settings.load_profile("no deadline")
