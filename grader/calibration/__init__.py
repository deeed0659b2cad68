"""Tolerances and thresholds from measurements: how far right programs are from losing points."""
