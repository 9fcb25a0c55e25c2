"""Secrets and personal data: where they stand in a text, and the text without them.

Names of people and postal addresses are not found: without a language model they cannot be told from the names of
services and hosts that an investigation is about.
"""
