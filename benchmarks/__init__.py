"""How fast and how right the product is, measured from outside, as a user calls it."""
