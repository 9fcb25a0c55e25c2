"""One list of endpoints for each service."""
