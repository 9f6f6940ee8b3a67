"""Runs one build, phase by phase."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local_aws.codebuild.artifacts import upload
from local_aws.codebuild.builds import NOT_REHEARSED, Build
from local_aws.codebuild.buildspec import PHASES, Buildspec, Phase, parse
from local_aws.codebuild.commands import run_commands
from local_aws.codebuild.environment import Variables, built_in, machine
from local_aws.codebuild.projects import not_rehearsed
from local_aws.codebuild.shell import EndedError, Shell
from local_aws.codebuild.sources import buildspec_text, download
from local_aws.docker.launcher import docker_environment
from local_aws.errors import AwsError
from local_aws.logs import LogStream

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)
PRINCIPAL = "codebuild.amazonaws.com"
# A failed build still gets its post_build and its artifacts, a failed earlier phase nothing:
# https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
GOES_ON_AFTER_FAILURE = ("build", "post_build")


class Runner:
    """One build in a folder of its own, under the project's service role."""

    def __init__(self, account: Account, build: Build, folder: Path, tools: Path) -> None:
        self.build = build
        self._account = account
        self._folder = folder
        self._tools = tools
        self._settings = build.settings
        self._source = folder / "src"
        self._deadline = time.monotonic() + 60 * self._settings["timeoutInMinutes"]
        self._log: LogStream | None = None
        self._shell: Shell | None = None

    def run(self) -> None:
        """Run the build to its end; what goes wrong is in its phases."""
        try:
            self._run()
        finally:
            with self._phase("FINALIZING"):
                if self._shell:
                    self._shell.stop()
            if self.build.succeeding:
                shutil.rmtree(self._folder, ignore_errors=True)
            if self._log:
                self._log.close()
            self.build.complete()
            self._announce()

    def stop(self) -> None:
        """Stop the build; the phase that runs becomes STOPPED."""
        self.build.stopping.set()
        if self._shell:
            self._shell.stop()

    def _run(self) -> None:
        for phase in ("SUBMITTED", "QUEUED"):
            with self._phase(phase):
                self._announce()
        with self._phase("PROVISIONING"):
            environment = self._provision()
        if not self.build.succeeding:
            return
        with self._phase("DOWNLOAD_SOURCE"):
            spec = self._download(environment)
        if not self.build.succeeding:
            return
        if self._commands(spec):
            with self._phase("UPLOAD_ARTIFACTS"):
                self._upload(spec)

    @property
    def _project_arn(self) -> str:
        """What CodeBuild says that it acts for when it takes the service role."""
        return self._account.arn("codebuild", f"project/{self.build.project}")

    def _provision(self) -> dict[str, str]:
        run = self.build.id.partition(":")[2]
        logs = self._settings.get("logsConfig", {}).get("cloudWatchLogs", {})
        group = logs.get("groupName") or f"/aws/codebuild/{self.build.project}"
        stream = f"{logs['streamName']}/{run}" if logs.get("streamName") else run
        if logs.get("status") != "DISABLED":
            self._log = self._account.log_stream(
                group,
                stream,
                self._settings["serviceRole"],
                service_principal=PRINCIPAL,
                source_arn=self._project_arn,
            )
            self._check_log(group, stream)
            arn = self._account.arn("logs", f"log-group:{group}:log-stream:{stream}")
            self.build.logs = {"groupName": group, "streamName": stream, "cloudWatchLogsArn": arn}
        kind = self._settings["environment"]["type"]
        if not kind.startswith(("LINUX", "ARM")):
            raise AwsError("CLIENT_ERROR", f"Builds on {kind} are not rehearsed on the local AWS; use LINUX_CONTAINER.")
        for what in not_rehearsed(self._settings):
            self._line(f"{NOT_REHEARSED}{what}")
        for folder in ("src", "home", "tmp"):
            (self._folder / folder).mkdir(parents=True)
        return self._account.environment(
            self._settings["serviceRole"],
            service_principal=PRINCIPAL,
            session=f"AWSCodeBuild-{run}",
            source_arn=self._project_arn,
        )

    def _check_log(self, group: str, stream: str) -> None:
        """Fail, as CodeBuild does, when the service role may not make the log stream."""
        role = self._settings["serviceRole"]
        logs = self._account.client("logs", role, service_principal=PRINCIPAL, source_arn=self._project_arn)
        try:
            try:
                logs.create_log_stream(logGroupName=group, logStreamName=stream)
            except logs.exceptions.ResourceNotFoundException:
                logs.create_log_group(logGroupName=group)
                logs.create_log_stream(logGroupName=group, logStreamName=stream)
        except ClientError as error:
            raise AwsError(
                "ACCESS_DENIED",
                f"Service role {role} does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for "
                f"build {self.build.arn}. Error message: {error.response['Error']['Message']}",
            ) from error

    def _download(self, environment: dict[str, str]) -> Buildspec:
        s3 = self._client("s3")
        self.build.source_version = self._settings.get("sourceVersion", "")
        download(self._settings["source"], self.build.source_version, self._source, s3)
        versions = {
            item["sourceIdentifier"]: item["sourceVersion"]
            for item in self._settings.get("secondarySourceVersions", ())
        }
        secondary = {source["sourceIdentifier"]: source for source in self._settings.get("secondarySources", ())}
        for name, source in secondary.items():
            download(source, versions.get(name, ""), self._folder / "sources" / name, s3)
        spec = parse(buildspec_text(self._settings["source"], self._source, s3))
        for what in spec.not_rehearsed:
            self._line(f"{NOT_REHEARSED}{what} of the buildspec")
        self._open_shell(spec, environment | built_in(self.build, self._folder, secondary))
        return spec

    def _open_shell(self, spec: Buildspec, environment: dict[str, str]) -> None:
        given = self._settings["environment"].get("environmentVariables", [])
        variables = Variables(self._client).resolve(spec, given)
        self.build.resolved_source_version = variables.get("CODEBUILD_RESOLVED_SOURCE_VERSION", "")
        self._shell = Shell(self._account.processes, self._folder / "shell", spec.shell, self._line)
        self._shell.start(
            f"build {self.build.id}",
            self._source,
            environment
            | machine(self._tools)
            | {"TOOLS": str(self._account.settings.checkout)}
            | docker_environment(self._folder / "docker", self._account.settings.home / "images")
            | variables,
        )

    def _commands(self, spec: Buildspec) -> bool:
        """Run the phases of the buildspec; whether artifacts are due."""
        assert self._shell is not None
        go_on = True
        for name in PHASES:
            phase = spec.phases.get(name, Phase(name))
            with self._phase(name.upper()):
                run_commands(phase, self.build, self._shell, self._deadline, self._say)
            status = self.build.phases[-1].status
            if status == "FAILED" and phase.on_failure != "CONTINUE":
                go_on = phase.on_failure != "ABORT" and name in GOES_ON_AFTER_FAILURE
            elif status not in ("SUCCEEDED", "FAILED"):
                go_on = False
            if not go_on:
                break
        if self.build.phases[-1].status in ("SUCCEEDED", "FAILED"):
            self.build.exported = self._shell.variables(spec.exported)
        return go_on

    def _upload(self, spec: Buildspec) -> None:
        key = self._settings.get("encryptionKey", "")
        for declared in (self._settings["artifacts"], *self._settings.get("secondaryArtifacts", ())):
            encrypted = key and not key.endswith("alias/aws/s3") and not declared.get("encryptionDisabled")
            described = upload(
                {**declared, "encryptionKey": key} if encrypted else declared,
                spec,
                self._source,
                self.build.id,
                self._client("s3"),
                self._say,
            )
            if described:
                self.build.artifacts.append(described)

    @contextmanager
    def _phase(self, name: str) -> Generator[None]:
        """Run a phase; an error in it ends the phase, not the build."""
        phase = self.build.enter(name)
        self._say(f"Entering phase {name}")
        try:
            if name != "FINALIZING":
                self._go_on()
            yield
            self.build.leave()
        except EndedError:
            if self.build.stopping.is_set():
                self.build.leave("STOPPED")
            else:
                self.build.leave("FAILED", "CLIENT_ERROR", "The shell of the build was killed from outside.")
        except TimeoutError:
            self.build.leave("TIMED_OUT", "BUILD_TIMED_OUT", "Build has timed out.")
        except AwsError as error:
            self.build.leave("FAILED", error.code, error.message)
        except ClientError as error:
            reason = error.response["Error"]
            self.build.leave("FAILED", "CLIENT_ERROR", f"{reason['Code']}: {reason['Message']}")
        except Exception as error:
            LOG.exception("build %s, phase %s", self.build.id, name)
            self.build.leave("FAULT", "INTERNAL_ERROR", f"{type(error).__name__}: {error}")
        self._say(f"Phase complete: {name} State: {phase.status}")
        self._say(f"Phase context status code: {phase.code} Message: {phase.message}")

    def _go_on(self) -> None:
        if self.build.stopping.is_set():
            raise EndedError

    def _announce(self) -> None:
        described = self.build.describe()
        detail = {
            "build-status": described["buildStatus"],
            "project-name": self.build.project,
            "build-id": self.build.arn,
            "current-phase": described["currentPhase"],
            "version": "1",
        }
        self._account.emit("aws.codebuild", "CodeBuild Build State Change", detail, [self.build.arn])

    def _say(self, message: str) -> None:
        self._line(f"[Container] {datetime.now(UTC):%Y/%m/%d %H:%M:%S.%f} {message}")

    def _line(self, line: str) -> None:
        self.build.note(line)
        if self._log:
            self._log.write(line)

    def _client(self, service: str) -> Any:
        return self._account.client(
            service,
            self._settings["serviceRole"],
            service_principal=PRINCIPAL,
            session="AWSCodeBuild",
            source_arn=self._project_arn,
        )
