"""`make local`: what a newcomer does on AWS, done on this machine and told step by step."""
