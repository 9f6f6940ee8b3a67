"""What project.yaml and model.yaml may say: closed, frozen types, one sentence for each field."""

from config.errors import ConfigError
from config.loading import load_model, load_models, load_project
from config.model import Model
from config.project import Environment, Project

__all__ = ["ConfigError", "Environment", "Model", "Project", "load_model", "load_models", "load_project"]
