"""Every stack of the project; `cdk synth` runs this."""

import os
import sys
from pathlib import Path

import aws_cdk as cdk

from config import ConfigError, load_models, load_project
from config.naming import NOTHING
from stacks.delivery import DeliveryStack
from stacks.foundation import EnvironmentStack, ToolingStack
from stacks.place import Place
from stacks.rollback import RollbackStack
from stacks.serving import ServingStack
from stacks.training import TrainingStack
from stacks.validation import validate
from stacks.watch import WatchStack

root = Path(__file__).parent
try:
    project = load_project(root)
    models = load_models(root, project)
except ConfigError as error:
    sys.exit(str(error))
only = os.environ.get("ONLY_MODEL", NOTHING)  # a release deploys the stacks of its model, however many others there are
chosen = [model for model in models if only in (NOTHING, model.name)]
if models and not chosen:
    sys.exit(f"ONLY_MODEL is {only!r}: there are {', '.join(model.name for model in models)}; leave it out for all.")
app = cdk.App()

tooling = ToolingStack(app, Place(project, "tooling", project.tooling))
environments = {
    name: EnvironmentStack(app, Place(project, name, environment), tooling=tooling)
    for name, environment in project.environments.items()
}
for model in chosen:
    TrainingStack(app, tooling.place, model=model, tooling=tooling)
    for name, environment in environments.items():
        ServingStack(app, environment.place, model=model.in_environment(name), environment=environment)
if only == NOTHING:
    for environment in environments.values():
        RollbackStack(app, environment.place, tooling=tooling, environment=environment, models=models)
    watches = [
        WatchStack(app, environment.place, tooling=tooling, environment=environment)
        for environment in environments.values()
        if environment.place.is_watched
    ]
    DeliveryStack(app, tooling.place, tooling=tooling, environments=environments, watches=watches)

if os.environ.get("CDK_VALIDATION") != "false":  # as the CDK does with its own rules
    validate(app, project)
app.synth()
