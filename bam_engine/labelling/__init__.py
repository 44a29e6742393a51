"""Who is asked which images, what they answered, and what counts as the label."""
