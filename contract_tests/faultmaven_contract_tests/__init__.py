"""Suites that every implementation of a port must pass, ours and yours: subclass one, give its fixture, run pytest."""
