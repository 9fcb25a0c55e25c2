"""Root-cause analysis and the cases around it, free of drivers and frameworks: standard library, msgspec and numpy."""
