"""Production data of a model, month by month: the rows after its training, and their labels."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from config import Model
from config.hosting import Serverless
from config.naming import Names
from local_aws.account import Account
from local_aws.rehearsal.traffic import CALLERS, ROWS_PER_REQUEST
from local_aws.rehearsal.trained import Trained

QUIET_SECONDS = 0.4
MONTHS = 12
_MONTH = re.compile(r"\d{4}-\d{2}")


@dataclass(frozen=True)
class Month:
    """The labelled rows of a month, each with the id that its answer will have."""

    name: str
    frame: pd.DataFrame

    @property
    def middle(self) -> datetime:
        """When its rows are asked about."""
        return datetime.fromisoformat(f"{self.name}-15T12:00:00").replace(tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first morning after it, when the watch looks."""
        year, month = map(int, self.name.split("-"))
        return datetime(year + month // MONTHS, month % MONTHS + 1, 1, 5, tzinfo=UTC)


def months(model: Model, run: Trained) -> Iterator[Month]:
    """The months after a run's training; the rows of a year are spread over its months in order."""
    for period in run.periods:
        frame = run.rows(period)
        if _MONTH.fullmatch(period):
            yield _month(model, period, frame)
            continue
        for number in range(MONTHS):
            part = frame.iloc[len(frame) * number // MONTHS : len(frame) * (number + 1) // MONTHS]
            yield _month(model, f"{period}-{number + 1:02}", part)


def eve(model: Model) -> datetime:
    """The moment after the last year that a model is trained on."""
    return datetime(max(int(str(period)[:4]) for period in model.data.train_periods) + 1, 1, 1, tzinfo=UTC)


class Feed:
    """Sends months to an endpoint, and their labels to where labels belong."""

    def __init__(self, account: Account, names: Names, model: Model, records: str) -> None:
        self._account, self._model, self._records = account, model, records
        self._endpoint = names.endpoint(model.name, "production")
        self._runtime, self._s3 = account.client("sagemaker-runtime"), account.client("s3")

    def ask(self, month: Month) -> int:
        """Asks about every row of a month, in the middle of it; gives the number of rows."""
        self._account.calendar.set(month.middle)
        features = month.frame[[feature.name for feature in self._model.features]]
        starts = range(0, len(features), ROWS_PER_REQUEST)
        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(lambda start: self._ask(month.name, start, features), starts))
        self._wait_for_log()
        return len(features)

    def _wait_for_log(self) -> None:
        """Until the server has written its records of the month: it does so after its answers."""
        folder = self._account.settings.home / "logs/aws/sagemaker/Endpoints" / self._endpoint
        before, size = -1, 0
        while isinstance(self._model.hosting, Serverless) and before != size:
            time.sleep(QUIET_SECONDS)
            before, size = size, sum(file.stat().st_size for file in folder.iterdir())

    def label(self, month: Month) -> None:
        """Puts the labels of a month where the watch looks for them."""
        rows = month.frame[[self._model.data.id, self._model.target]]
        key = f"labels/{self._model.team}/{self._model.name}/{month.name}.csv"
        self._s3.put_object(Bucket=self._records, Key=key, Body=rows.to_csv(index=False).encode())

    def _ask(self, month: str, start: int, features: pd.DataFrame) -> None:
        rows = features.iloc[start : start + ROWS_PER_REQUEST]
        self._runtime.invoke_endpoint(
            EndpointName=self._endpoint,
            Body=rows.to_csv(index=False, header=False).encode(),
            ContentType="text/csv",
            Accept="text/csv",
            InferenceId=_inference(month, start),
        )["Body"].read()


def _month(model: Model, name: str, frame: pd.DataFrame) -> Month:
    """With the ids by which the watch will know the rows: the request's, and the row's number in it."""
    frame = frame.reset_index(drop=True)
    requests = [_inference(name, row - row % ROWS_PER_REQUEST) for row in range(len(frame))]
    sizes = [min(ROWS_PER_REQUEST, len(frame) - (row - row % ROWS_PER_REQUEST)) for row in range(len(frame))]
    frame[model.data.id] = [
        f"{request}/{row % ROWS_PER_REQUEST}" if size > 1 else request
        for row, (request, size) in enumerate(zip(requests, sizes, strict=True))
    ]
    return Month(name, frame)


def _inference(month: str, start: int) -> str:
    return f"{month}-{start}"
