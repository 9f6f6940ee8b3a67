"""SageMaker pipelines: definitions, and their execution step by step."""
