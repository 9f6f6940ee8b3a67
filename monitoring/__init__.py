"""Statistics on what a model saw and said: profiles that add up, and what they say of a period."""
