"""Checks a workspace: the database, the image files, and everything derived; repairs what can be derived again.

In:  a workspace. Out: findings, each a kind of damage in words with what mends it.
"""

from bam_engine.maintenance.check import check, repair
from bam_engine.maintenance.finding import Finding, Outcome

__all__ = ["Finding", "Outcome", "check", "repair"]
