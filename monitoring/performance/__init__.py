"""How good a model was, estimated without labels and realized with them."""
