"""From the bytes of a request to tables: one module for each family of content types."""
