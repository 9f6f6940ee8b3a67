"""An AWS account on this machine: the stacks run here under their own policies before an account exists."""
