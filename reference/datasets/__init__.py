"""Data sets of the questions, one module per data set."""
