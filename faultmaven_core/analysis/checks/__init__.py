"""Invariants over the graph; a broken one is a candidate cause until a path links it to the symptom."""
