"""Typesetting of reports."""
