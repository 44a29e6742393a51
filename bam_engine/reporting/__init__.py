"""The results, gathered for people and files: overview, reports, image facts, export."""
