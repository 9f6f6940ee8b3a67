"""From a fitted model to a released package: export, parity, metrics, golden requests."""
