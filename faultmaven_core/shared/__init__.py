"""Values that every context uses: errors, identities, callers, secrets."""
