"""What the gallery calls the decisions about images and the states of their labels."""

PLACES = {
    "all": "All",
    "accepted": "Accepted",
    "near": "Borderline",
    "rejected": "Rejected",
    "undecided": "Undecided",
    "uncovered": "Not covered",
}
"""The decisions, by the place in a query."""

STATES = {
    "positive": "yes",
    "negative": "no",
    "unsure": "unsure",
    "waiting": "needs another vote",
    "disputed": "disputed",
    "disagreed": "people disagree",
    "bulk": "in bulk only",
    "unlabelled": "no label",
}
"""The states of a label, by the label in a query."""
