"""Ways to run the kernel: in pieces that are added up, and on Spark."""
