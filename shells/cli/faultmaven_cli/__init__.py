"""The `fm` command: reads arguments, calls the library, prints."""
