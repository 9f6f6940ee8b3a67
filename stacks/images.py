"""Which image is newest, by target."""

from __future__ import annotations

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from config.naming import NOTHING
from stacks.place import Place


class Images(Construct):
    """A parameter for each target of the Dockerfile; the platform pipeline writes it, a release reads it.

    `serving-native` has one before any model asks for it: the Image stage that notes the first comes before the Deploy
    stage that would add its parameter.
    """

    def __init__(self, scope: Construct, name: str, place: Place) -> None:
        super().__init__(scope, name)
        self.parameters = [
            ssm.StringParameter(
                self,
                "".join(part.capitalize() for part in target.split("-")),
                parameter_name=place.names.image_parameter(target),
                description=f"The newest {target} image, by digest.",
                string_value=NOTHING,
            )
            for target in ("serving", "serving-native", "job")
        ]
