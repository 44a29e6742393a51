"""Snapshots of the dataset: images, labels, decisions and evidence as they were when somebody froze them."""
