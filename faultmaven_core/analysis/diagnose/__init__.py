"""From symptoms to ranked hypotheses and the record."""
