"""Programs that measure the product: `benchmarks.quality` how often it is right, `benchmarks.speed` how fast it is."""
