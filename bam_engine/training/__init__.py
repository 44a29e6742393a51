"""From labels to a model and a threshold: what to query next, rounds, validation, certification."""
