"""What runs in the environment of each peer; nothing here imports anything of ours."""
