"""From the data in S3 to checked, split rows."""
