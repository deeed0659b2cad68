"""Reference solutions in numpy, and example submissions to try the grader on."""
