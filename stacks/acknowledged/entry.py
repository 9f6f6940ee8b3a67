"""An entry of what is acknowledged, and the constructs that entries speak of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Acknowledged:
    """A rule that some constructs may break, and why."""

    rule: str
    on: tuple[str, ...]
    reason: str
    details: tuple[str, ...] = ()


JOB = "{project}-tooling/{team}/Job"
SERVING = "{project}-{environment}/{team}/Serving"
WATCH = "{project}-watch-{environment}/{team}/Watch"
RUNNER = "{project}-training-{model}/Runner"
RECORDER = "{project}-tooling/Recorder/Machine"
BATCH = "{project}-serving-{model}/Live/Batch/Machine"
ROLLBACK = "{project}-rollback-{environment}/Machine"
JUDGING = "{project}-watch-{environment}/Judging-{team}/Machine"
WAVE = "{project}-delivery/Wave/Machine"
DISTRIBUTED_MAP = f"{WAVE}/DistributedMapPolicy"
DEPLOY = "{project}-delivery/Deploy/Project"
CHECK, IMAGE, PLAN = (f"{{project}}-delivery/Platform/{name}/Project" for name in ("Check", "Image", "Plan"))
TRAIN, SERVE, VERIFY, DECIDE, CONFIRM = (
    f"{{project}}-delivery/Release/Builds/{name}/Project" for name in ("Train", "Serve", "Verify", "Decide", "Confirm")
)
RELEASE_BUILDS = (TRAIN, SERVE, VERIFY, DECIDE, CONFIRM)
BUILDS = (DEPLOY, CHECK, IMAGE, PLAN, *RELEASE_BUILDS)
NETWORKS = tuple(f"{build.removesuffix('Project')}Network" for build in BUILDS)  # of builds in a VPC
PIPELINES = ("{project}-delivery/Release/Pipeline", "{project}-delivery/Platform/Pipeline")
MACHINES = (RECORDER, BATCH, ROLLBACK, JUDGING, WAVE)

IAM5 = "AwsSolutions-IAM5"
"""The rule that finds each star in a permission."""
