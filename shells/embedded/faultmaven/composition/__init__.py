"""The one place that chooses adapters."""
