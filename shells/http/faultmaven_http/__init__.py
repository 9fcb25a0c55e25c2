"""FaultMaven over HTTP: the operation table behind URLs, with what an edge needs."""
