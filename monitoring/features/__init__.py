"""How features differ from their reference, one by one and together."""
