"""Hypothesis without deadlines: the first call of a test pays for importing scipy or scikit-learn.

The same examples each time, as everywhere: what passed here passes elsewhere.
"""

from hypothesis import settings

settings.register_profile("no deadline", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("no deadline")
