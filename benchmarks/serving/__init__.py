"""The model server beside AWS's own stack and its peers."""
