"""Asks the production endpoint, and scores a batch, with rows that the model was not trained on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sklearn.metrics import r2_score, roc_auc_score

from config import Model
from config.model import Task
from config.naming import Names
from local_aws.account import Account
from local_aws.rehearsal.failure import RehearsalError
from local_aws.rehearsal.trained import Trained
from pipelines.by_hand.outputs import stack_output

ROWS_PER_REQUEST = 500
CALLERS = 4
SECONDS_OF_SINGLE_ROWS = 2.0
COMPARED: Mapping[Task, tuple[str, Callable[..., float]]] = {
    "binary": ("roc_auc", roc_auc_score),
    "regression": ("r2", r2_score),
}
"""The metric that the first column of the answers must have as the evaluation had it, by task."""


@dataclass(frozen=True)
class Rows:
    """Labelled rows of a period after training, as the pipeline's Prepare step left them."""

    model: Model
    period: str
    frame: pd.DataFrame
    evaluation: dict[str, Any]

    @property
    def features(self) -> pd.DataFrame:
        return self.frame[[feature.name for feature in self.model.features]]

    @property
    def labels(self) -> pd.Series:
        return self.frame[self.model.target]


class Production:
    """The production side of one released model, through AWS's public APIs only."""

    def __init__(self, account: Account, names: Names, model: Model) -> None:
        self._account, self._names, self._model = account, names, model
        self._endpoint = names.endpoint(model.name, "production")
        self._runtime = account.client("sagemaker-runtime")
        self._s3 = account.client("s3")

    def rows(self, package: str) -> Rows:
        """The first period after training, read from the run that made *package*."""
        run = Trained.of(self._account, package)
        period = run.periods[0]
        return Rows(self._model, period, run.rows(period), run.evaluation)

    def ask(self, rows: Rows) -> str:
        """Scores every row through the endpoint, and compares with what the pipeline's evaluation found."""
        features = rows.features
        chunks = [
            features.iloc[start : start + ROWS_PER_REQUEST] for start in range(0, len(features), ROWS_PER_REQUEST)
        ]
        with ThreadPoolExecutor(CALLERS) as pool:
            answers = list(pool.map(self._score, chunks))
        scores = pd.concat(answers, ignore_index=True)
        if len(scores) != len(features):
            raise RehearsalError(
                f"{len(features)} rows went in and {len(scores)} came out.", self._account.settings.home
            )
        found = f"{len(features):,} rows of {rows.period} answered"
        if self._model.task not in COMPARED:
            return found
        unanswered = int(scores[0].isna().sum())
        if unanswered:  # the evaluation answered them, so the metrics are not of the same rows
            return f"{found}, {unanswered} of them with a reason why not"
        metric, measure = COMPARED[self._model.task]
        value = float(measure(rows.labels, scores[0]))
        expected = rows.evaluation["periods"][rows.period][metric]["value"]
        if abs(value - expected) > 1e-6:
            raise RehearsalError(
                f"The endpoint's {metric} on {rows.period} is {value:.6f}, the evaluation's was {expected:.6f}.",
                self._account.settings.home,
            )
        return f"{found}, {metric} {value:.4f} as in evaluation"

    def load(self, rows: Rows) -> str:
        """Asks for one row at a time for a few seconds; gives requests per second and latency."""
        bodies = [json.dumps({"instances": [row]}) for row in rows.features.head(200).to_dict("records")]
        deadline = time.monotonic() + SECONDS_OF_SINGLE_ROWS

        def caller(offset: int) -> list[float]:
            times = []
            while (begin := time.monotonic()) < deadline:
                body = bodies[(offset + len(times)) % len(bodies)]
                self._runtime.invoke_endpoint(EndpointName=self._endpoint, Body=body, ContentType="application/json")[
                    "Body"
                ].read()
                times.append(time.monotonic() - begin)
            return times

        with ThreadPoolExecutor(CALLERS) as pool:
            times = sorted(time for batch in pool.map(caller, range(CALLERS)) for time in batch)
        rate, median, tail = len(times) / SECONDS_OF_SINGLE_ROWS, times[len(times) // 2], times[int(len(times) * 0.99)]
        return f"{rate:,.0f} requests/s by {CALLERS} callers, p50 {median * 1000:.1f} ms, p99 {tail * 1000:.1f} ms"

    def score_batch(self, rows: Rows, count: int) -> str:
        """Scores *count* rows by batch transform and counts what comes out."""
        bucket = stack_output(
            self._account.client("cloudformation"), self._names.stack("production"), "RecordsBucketName"
        )
        folder = f"batch/{self._model.team}/{self._model.name}"
        run = f"{rows.period}-rehearsal"
        body = rows.features.head(count).to_csv(index=False, header=False)
        self._s3.put_object(Bucket=bucket, Key=f"{folder}/in/{run}/rows.csv", Body=body.encode())
        machine = self._account.arn("states", f"stateMachine:{self._names.batch(self._model.name, 'production')}")
        self._run(machine, run)
        out = len(self._read(bucket, f"{folder}/out/{run}/rows.csv.out").splitlines())
        summary = json.loads(self._read(bucket, f"{folder}/summary/{run}.json"))
        given, scored, kept = min(count, len(rows.frame)), summary["scored"], summary["quarantined"]
        if (out, scored + kept) != (scored, given):
            raise RehearsalError(
                f"{given} rows went in, {out} came out; the summary says {scored} scored and {kept} in quarantine.",
                self._account.settings.home,
            )
        return f"{given:,} rows in = {scored:,} scored + {kept:,} in quarantine"

    def _run(self, machine: str, run: str) -> None:
        states = self._account.client("stepfunctions")
        execution = states.start_execution(stateMachineArn=machine, name=run, input=json.dumps({"run": run}))
        while True:
            found = states.describe_execution(executionArn=execution["executionArn"])
            if found["status"] == "SUCCEEDED":
                return
            if found["status"] != "RUNNING":
                reason = f"{found.get('error', '')} {found.get('cause', '')}"
                raise RehearsalError(
                    f"The batch {run} has {found['status'].lower()}: {reason}", self._account.settings.home
                )
            time.sleep(0.2)

    def _score(self, rows: pd.DataFrame) -> pd.DataFrame:
        answer = self._runtime.invoke_endpoint(
            EndpointName=self._endpoint,
            Body=rows.to_csv(index=False, header=False).encode(),
            ContentType="text/csv",
            Accept="text/csv",
        )
        return pd.read_csv(answer["Body"], header=None, skip_blank_lines=False)  # a row without answer is an empty line

    def _read(self, bucket: str, key: str) -> bytes:
        return self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
