"""Models whose folder is gone while their stacks are there: people are told, and nothing is deleted by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.stages.surroundings import Surroundings


@dataclass(frozen=True)
class Gone:
    """The stacks of each model that has no folder any more, by the model's part of their names."""

    models: Mapping[str, tuple[str, ...]]

    @property
    def summary(self) -> str:
        """Empty where nothing is left over."""
        if not self.models:
            return ""
        commands = "; ".join(_command(model) for model in self.models)
        return f"The folder of {', '.join(self.models)} is gone, and the stacks are still there. To delete: {commands}."

    @property
    def subject(self) -> str:
        return f"The stacks of {', '.join(self.models)} are left over"

    @property
    def text(self) -> str:
        """What people read, with the command that they may run."""
        lines = ["These models have no folder in model_code any more. Their stacks go on, with what they hold:"]
        for model, stacks in self.models.items():
            lines += [f"  {model}: {', '.join(stacks)}", f"    to see what goes, and then to delete: {_command(model)}"]
        return "\n".join([*lines, "Nothing of this is deleted until somebody says so."])


def gone(around: Surroundings) -> Gone:
    """What is left over in the account and region of the credentials."""
    found: dict[str, list[str]] = {}
    for stack in deployed(around):
        model = model_of(stack, around)
        if model and not has_folder(around, model):
            found.setdefault(model, []).append(stack)
    return Gone({model: tuple(sorted(found[model])) for model in sorted(found)})


def stacks_of(around: Surroundings, model: str) -> dict[str, str]:
    """The stacks of a model, and the status of each."""
    return {name: status for name, status in deployed(around).items() if model_of(name, around) == slug(model)}


def deployed(around: Surroundings) -> dict[str, str]:
    """The project's stacks in the account and region of the credentials, and the status of each."""
    pages = around.client("cloudformation").get_paginator("list_stacks").paginate()
    found = [(each["StackName"], each["StackStatus"]) for page in pages for each in page["StackSummaries"]]
    ours = around.names.stack("")
    return {name: status for name, status in found if name.startswith(ours) and status != "DELETE_COMPLETE"}


def has_folder(around: Surroundings, model: str) -> bool:
    """Whether the checkout has this model; what Python has left of a folder is none."""
    for folder in (around.root / "model_code").glob("*"):
        if slug(folder.name) == slug(model):
            return any(file.is_file() and "__pycache__" not in file.parts for file in folder.rglob("*"))
    return False


def model_of(stack: str, around: Surroundings) -> str | None:
    """The model that a stack is of, as stacks write it; None of what all models share."""
    training, serving = f"{around.names.stack('training')}-", f"{around.names.stack('serving')}-"
    if stack.startswith(training):
        return stack.removeprefix(training)
    for environment in around.project.environments:
        if stack.startswith(serving) and stack.endswith(f"-{environment}"):
            return stack.removeprefix(serving).removesuffix(f"-{environment}")
    return None


def slug(model: str) -> str:
    """A model's name as its stacks have it."""
    return model.replace("_", "-")


def _command(model: str) -> str:
    return f"make teardown MODEL={model}"
