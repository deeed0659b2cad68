"""Strict readers of what people write: YAML with line numbers, spreadsheets, texts."""
