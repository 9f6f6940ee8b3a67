"""The HTTP container round a model; imports nothing else of this project, because it travels into a container."""
