"""Moving an installation from some backends to others."""
