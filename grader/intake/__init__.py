"""What students hand in, made into what the rubric asks for. Nothing is executed here."""
