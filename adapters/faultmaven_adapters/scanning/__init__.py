"""Pattern scanners: the same hits from every engine."""
