"""An assignment as it lies on disk: its rubric, its reference, its examples."""
