"""What stands in bodies: field names are those of FaultMaven's published clients."""
