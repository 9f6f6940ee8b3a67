"""The monitoring library beside nannyml and evidently."""
