"""Who starts a run: an instructor, a student, a platform."""
