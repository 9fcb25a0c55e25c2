"""Readers: one kind of text to facts and relations, each with the lines where it stands."""
