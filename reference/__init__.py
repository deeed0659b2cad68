"""Reference solutions in numpy, and example submissions to test the grader with."""
