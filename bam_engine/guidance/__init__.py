"""What is known of an attribute, and what to do next: the one place that advises."""
