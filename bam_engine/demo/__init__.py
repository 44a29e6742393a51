"""A generated collection to try everything with: its workspace and its simulated annotators; the drawing is in art/."""
