"""Turns what students hand in into what the rubric asks for. Nothing is executed here."""
