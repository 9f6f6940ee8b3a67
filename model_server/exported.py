"""The contract of a model that has no code of its own: its engine and its signature suffice."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np

from model_server import openapi
from model_server.contract import QUICK_BYTES, Answer, Request, gather, one_by_one
from model_server.exchange import TableExchange
from model_server.predictions import Predictions, body
from model_server.quick import Quick, Small
from model_server.scoring import Model, Rows
from model_server.times import Times


class Exported:
    """Answers small requests that came together at once, with one call of the model, and large ones by pieces."""

    quick = True
    busy_since = None

    def __init__(self, model: Model) -> None:
        self.times = Times()
        self._model = model
        self._quick = Quick(model.signature)

    def answer(self, request: Request) -> Answer:
        """The answer to one request; raises Refused."""
        (answer,) = self.answer_many([request])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def answer_many(self, requests: Sequence[Request]) -> list[Answer | Exception]:
        """Each request's answer, or the exception that it met."""
        started = perf_counter()
        small = [self._quick.read(request) if len(request.body) <= QUICK_BYTES else None for request in requests]
        together = [each for each in small if each is not None]
        self.times.decode += perf_counter() - started
        answers = iter(self._together(together) if together else ())
        found = [None if each is None else next(answers) for each in small]
        return [
            answer or one_by_one(self._alone, [request])[0] for answer, request in zip(found, requests, strict=True)
        ]

    def exchange(self, request: Request) -> TableExchange:
        """For a request that is answered by pieces; raises Refused."""
        return TableExchange(self._model, self.times, request)

    def describe(self) -> dict[str, Any]:
        """The OpenAPI schema of requests and answers."""
        return openapi.bodies(self._model.signature)

    def _alone(self, request: Request) -> Answer:
        return gather(self.exchange(request), request.body)

    def _together(self, requests: Sequence[Small]) -> list[Answer | None]:
        """The answers; None for a request that breaks a rule, and for all of them should the model fail."""
        started = perf_counter()
        numbers = [row for request in requests for row in request.numbers]
        categories = [row for request in requests for row in request.categories]
        try:
            rows, good = self._quick.check(numbers, categories)
            self.times.check += perf_counter() - started
            return self._scored(requests, rows) if good is None else self._good_ones(requests, good)
        except (ArithmeticError, ValueError, OverflowError):
            return [None] * len(requests)

    def _good_ones(self, requests: Sequence[Small], good: np.ndarray) -> list[Answer | None]:
        ends = np.cumsum([len(request.numbers) for request in requests])
        kept = [bool(part.all()) for part in np.split(good, ends[:-1])]
        rest = [request for request, keep in zip(requests, kept, strict=True) if keep]
        answers = iter(self._together(rest) if rest else ())
        return [next(answers) if keep else None for keep in kept]

    def _scored(self, requests: Sequence[Small], rows: Rows) -> list[Answer | None]:
        started = perf_counter()
        predictions = Predictions(self._model.signature, self._model.scores(rows))
        between = perf_counter()
        answers: list[Answer | None] = []
        at = 0
        kinds = {request.wanted for request in requests}
        written = {kind: list(predictions.fragments(kind)) for kind in kinds}
        for request in requests:
            end = at + len(request.numbers)
            content = body(written[request.wanted][at:end], request.wanted, request.id)
            answers.append(Answer(request.wanted, content, end - at))
            at = end
        self.times.score += between - started
        self.times.encode += perf_counter() - between
        return answers
