"""A person's marks: reading them, applying them, and what changed between two runs."""
