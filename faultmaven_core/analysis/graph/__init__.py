"""Entities and how they are related, over all sources of an investigation."""
