"""What can go wrong with a release, done on purpose under real requests."""
