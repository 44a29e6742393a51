"""From labels to a model and a threshold: what to query next, rounds, validation, certification, evaluation.

Wires :mod:`bam_engine.learning`, which works on arrays, to the stores of the workspace.
"""
