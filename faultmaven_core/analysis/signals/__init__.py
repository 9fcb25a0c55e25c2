"""What is abnormal: known error texts and numbers that left their usual range."""
