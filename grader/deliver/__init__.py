"""After grading: a person's marks, two runs compared, grades for a platform."""
