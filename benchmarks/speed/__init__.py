"""Speed and memory, as ratios to peers that run in the same minutes on the same machine."""
