"""Running checks: one session per submission, many submissions in a few processes."""
