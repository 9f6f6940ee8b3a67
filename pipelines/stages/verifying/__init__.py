"""What Verify asks of an endpoint, one module for each kind of question, and the report of the answers."""
