"""What the core needs from outside, as protocols that several contexts share."""
