"""How often the product is right: it is run as a person would run it, and its answers go to the one scorer.

`python -m benchmarks.quality` answers the inputs; `python -m benchmarks.quality.evaluate` does all of it in one go.
"""
