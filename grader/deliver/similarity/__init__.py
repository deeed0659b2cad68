"""Which hand-ins share code: a hint for a person, and never part of a score."""
