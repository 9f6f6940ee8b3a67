"""What has happened to a model: its releases, its ways back, and where its packages come from."""
