"""How one thing breaks another: the knowledge that hypotheses are made of."""
