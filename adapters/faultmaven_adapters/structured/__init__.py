"""Parsers of structured text that keep the lines."""
