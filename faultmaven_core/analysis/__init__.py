"""From bytes to a cited conclusion: pure and synchronous, without organizations, storage or clock."""
