"""Several encoders of one collection: what each has, and moving from one to another."""
