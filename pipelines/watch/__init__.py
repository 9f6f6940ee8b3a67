"""The job that judges a team's models: what they saw and said, what was true, what follows."""
