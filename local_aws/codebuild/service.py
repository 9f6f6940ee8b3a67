"""AWS CodeBuild: projects, and builds that run as processes on this machine."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_aws.codebuild.builds import Build
from local_aws.codebuild.projects import DEFAULTS, check, settings_of_build
from local_aws.codebuild.runner import PRINCIPAL, Runner
from local_aws.docker.launcher import write_launcher
from local_aws.errors import AwsError
from local_aws.pages import page
from local_aws.service import Caller, Permission, Service

if TYPE_CHECKING:
    from local_aws.account import Account

Params = dict[str, Any]


class CodeBuild(Service):
    """Projects and builds; one thread per running build."""

    name = "codebuild"
    invalid = "InvalidInputException"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._projects: dict[str, Params] = {}
        self._builds: dict[str, Build] = {}
        self._runners: dict[str, Runner] = {}
        self._by_token: dict[str, str] = {}
        self._lock = threading.Lock()
        self._home = account.settings.home / "builds"
        self._tools = account.settings.home / "bin"

    def start(self) -> None:
        """Put the stand-in commands of builds in place."""
        write_launcher(self._tools, self.account.settings.checkout)

    def stop(self) -> None:
        """Stop every build."""
        for runner in list(self._runners.values()):
            runner.stop()

    def permissions(self, operation: str, params: Params) -> list[Permission]:
        """The operation on each project concerned, and passing a role where one is given."""
        builds = params.get("ids") or ([params["id"]] if "id" in params else [])
        names = [_project_of(build) for build in builds] or params.get("names") or []
        names = names or [params.get("name") or params.get("projectName")]
        resources = {self._arn(name) if name else "*" for name in names}
        needed = [Permission(f"codebuild:{operation}", resource) for resource in sorted(resources)]
        role = params.get("serviceRole") or params.get("serviceRoleOverride")
        if role:
            needed.append(Permission("iam:PassRole", role, {"iam:PassedToService": PRINCIPAL}))
        return needed

    def create_project(self, params: Params, _: Caller) -> Params:
        """Create a project whose service role CodeBuild can assume."""
        if params["name"] in self._projects:
            raise AwsError("ResourceAlreadyExistsException", f"Project already exists: {self._arn(params['name'])}")
        now = datetime.now(UTC)
        return self._keep({**DEFAULTS, **params, "arn": self._arn(params["name"]), "created": now})

    def update_project(self, params: Params, _: Caller) -> Params:
        """Change the members of a project that are given."""
        return self._keep({**self._project(params["name"]), **params})

    def delete_project(self, params: Params, _: Caller) -> Params:
        """Delete a project; its builds stay known."""
        self._projects.pop(params["name"], None)
        return {}

    def batch_get_projects(self, params: Params, _: Caller) -> Params:
        """Projects by name or ARN."""
        names = [name.rpartition("/")[2] for name in params["names"]]
        return {
            "projects": [self._projects[name] for name in names if name in self._projects],
            "projectsNotFound": [name for name in names if name not in self._projects],
        }

    def list_projects(self, params: Params, _: Caller) -> Params:
        """The names of all projects."""
        names = sorted(self._projects, reverse=params.get("sortOrder") == "DESCENDING")
        names, more = page(names, params.get("nextToken"), 100, "InvalidInputException")
        return {"projects": names, **more}

    def start_build(self, params: Params, caller: Caller) -> Params:
        """Start a build; CodePipeline names itself as the session of its role."""
        project = self._project(params["projectName"].rpartition("/")[2])
        with self._lock:
            token = params.get("idempotencyToken")
            if token in self._by_token:
                return {"build": self._builds[self._by_token[token]].describe()}
            number = 1 + sum(build.project == project["name"] for build in self._builds.values())
            settings = settings_of_build(project, params)
            check(settings)
            build = Build(
                project=project["name"],
                number=number,
                arn_prefix=self.account.arn("codebuild", "").rstrip(":"),
                initiator=_initiator(settings, caller),
                settings=settings,
            )
            self._builds[build.id] = build
            if token:
                self._by_token[token] = build.id
        runner = Runner(self.account, build, self._home / build.id.partition(":")[2], self._tools)
        self._runners[build.id] = runner
        self.account.background(f"build {build.id}", lambda: self._run(runner))
        return {"build": build.describe()}

    def batch_get_builds(self, params: Params, _: Caller) -> Params:
        """Builds by id or ARN."""
        ids = [build.rpartition("/")[2] for build in params["ids"]]
        return {
            "builds": [self._builds[build].describe() for build in ids if build in self._builds],
            "buildsNotFound": [build for build in ids if build not in self._builds],
        }

    def list_builds(self, params: Params, _: Caller) -> Params:
        """The ids of all builds, newest first."""
        return self._ids(list(self._builds), params)

    def list_builds_for_project(self, params: Params, _: Caller) -> Params:
        """The ids of a project's builds, newest first."""
        name = self._project(params["projectName"])["name"]
        return self._ids([build.id for build in self._builds.values() if build.project == name], params)

    def stop_build(self, params: Params, _: Caller) -> Params:
        """Stop a build that runs."""
        build = self.build(params["id"])
        if runner := self._runners.get(build.id):
            runner.stop()
            build.finished.wait(10)
        return {"build": build.describe()}

    def build(self, identifier: str) -> Build:
        """A build by its id or ARN."""
        build = self._builds.get(identifier.rpartition("/")[2])
        if build is None:
            raise AwsError("ResourceNotFoundException", f"Build cannot be found: {identifier}")
        return build

    def _run(self, runner: Runner) -> None:
        try:
            runner.run()
        finally:
            self._runners.pop(runner.build.id, None)

    def _keep(self, project: Params) -> Params:
        check(project)
        try:
            self.account.environment(
                project["serviceRole"], service_principal=PRINCIPAL, source_arn=self._arn(project["name"])
            )
        except AwsError as error:
            raise AwsError(
                "InvalidInputException",
                "CodeBuild is not authorized to perform: sts:AssumeRole on service role. Please verify that the role "
                f"{project['serviceRole']} exists and trusts {PRINCIPAL}. {error.message}",
            ) from error
        project = {**project, "lastModified": datetime.now(UTC)}
        self._projects[project["name"]] = project
        return {"project": project}

    def _ids(self, ids: list[str], params: Params) -> Params:
        ordered = ids if params.get("sortOrder") == "ASCENDING" else ids[::-1]
        found, more = page(ordered, params.get("nextToken"), 100, "InvalidInputException")
        return {"ids": found, **more}

    def _project(self, name: str) -> Params:
        if name not in self._projects:
            raise AwsError("ResourceNotFoundException", f"Project cannot be found: {self._arn(name)}")
        return self._projects[name]

    def _arn(self, project: str) -> str:
        if project.startswith("arn:"):
            return project
        return self.account.arn("codebuild", f"project/{project}")


def _project_of(build: str) -> str:
    return build.rpartition("/")[2].partition(":")[0]


def _initiator(settings: Params, caller: Caller) -> str:
    session = re.split("[:/]", caller.arn)[-1]
    return f"codepipeline/{session}" if settings["source"]["type"] == "CODEPIPELINE" else session
