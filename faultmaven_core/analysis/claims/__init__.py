"""Sentences with their proof: what is said, where it stands, whether it is so."""
