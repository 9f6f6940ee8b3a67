"""Brings back what was deleted or overwritten of a model: its objects, and its packages in the registry."""
