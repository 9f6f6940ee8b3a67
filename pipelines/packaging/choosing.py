"""Which engine a package gets: the one that model.yaml asks for, and only if it says what the fitted model says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from config.model import Model
from model_server import engines, scoring
from model_server.forest import Forest
from model_server.scoring import Columns
from model_server.signature import Signature
from pipelines.container import StepError, unquoted
from pipelines.packaging import forest, native, parity, speed
from pipelines.packaging.export import export


@dataclass(frozen=True)
class Chosen:
    """The signature with its engine and how that was checked, and the files that the engine needs, by name."""

    signature: Signature
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class _Candidate:
    """An engine that says what the fitted model says, and the content of its file."""

    engine: scoring.Engine
    content: bytes
    parity: parity.Parity


@dataclass(frozen=True)
class Choice:
    """A fitted model, the signature that it has so far, and the columns that it was trained on."""

    model: Model
    fitted: Any
    described: Signature
    columns: Columns

    def make(self) -> Chosen:
        """The engine that is right; raises StepError where none is."""
        match self.model.serving.engine:
            case "native":
                return self._by_native(self._native())
            case "auto":
                return self._by_either()
        try:
            return self._by_onnx(self._onnx())
        except StepError as error:
            raise StepError(
                f"{error}. docs/decisions/0006-engines.md lists what is known for it; with `serving: {{engine: auto}}` "
                "in model.yaml the library that fitted the model answers where ONNX Runtime cannot."
            ) from error

    def _by_either(self) -> Chosen:
        try:
            onnx = self._onnx()
        except StepError as error:
            print(f"not by ONNX Runtime: {self._told(error)}", flush=True)
            return self._by_native(self._native(), onnx=self._told(error))
        with_forest = self._by_onnx(onnx)
        if with_forest.signature.batch_engine:
            return with_forest
        try:
            other = self._native(onnx.content)
        except StepError as error:
            print(f"by ONNX Runtime alone: {self._told(error)}", flush=True)
            return with_forest
        match self._batch_from(onnx, other.engine):
            case None:
                return with_forest
            case 1:
                return self._by_native(other, onnx="right, and slower for a single row already")
            case fewest:
                return self._by_both(onnx, other, fewest)

    def _told(self, error: StepError) -> str:
        return unquoted(error) if self.model.sensitive else str(error)

    def _onnx(self) -> _Candidate:
        content = export(self.fitted, self.model.features)
        try:
            engine = engines.Onnx(content)
        except Exception as error:  # ONNX Runtime's errors have no base of their own
            raise StepError(f"ONNX Runtime cannot load the exported model: {error}") from error
        return self._checked("ONNX Runtime", engine, content, thresholds_of=content)

    def _native(self, exported: bytes = b"") -> _Candidate:
        content = native.dump(self.fitted)
        return self._checked("native", native.load(self.described, content), content, thresholds_of=exported)

    def _checked(self, name: str, engine: scoring.Engine, content: bytes, thresholds_of: bytes) -> _Candidate:
        probes = parity.probes(self.model.features, self.columns, thresholds_of)
        found = parity.gate(self.fitted, scoring.Model(self.described, engine), probes)
        print(f"{name}: differs by at most {found.largest_difference:.1e} on {found.rows:,} rows", flush=True)
        return _Candidate(engine, content, found)

    def _batch_from(self, onnx: _Candidate, other: scoring.Engine) -> int | None:
        return speed.batch_from(onnx.engine, other, scoring.matrices(self.described, self.columns))

    def _by_onnx(self, onnx: _Candidate) -> Chosen:
        """By ONNX Runtime, and many rows at once by the model's trees where these are right and faster."""
        proven = replace(self.described, engine="onnx", parity=onnx.parity.to_json())
        files = {engines.ONNX_FILE: onnx.content}
        try:
            trees = forest.export(onnx.content)
            engine = Forest(trees.forest, engines.Onnx(trees.before) if trees.before else None)
            checked = self._checked("its trees at once", engine, trees.forest, thresholds_of=onnx.content)
        except StepError as error:
            print(f"many rows at once by ONNX Runtime too: {self._told(error)}", flush=True)
            return Chosen(proven, files)
        fewest = self._batch_from(onnx, engine)
        if fewest is None:
            return Chosen(proven, files)
        record = {**onnx.parity.to_json(), "forest": checked.parity.to_json()}
        files |= {engines.FOREST_FILE: trees.forest} | ({engines.BEFORE_FILE: trees.before} if trees.before else {})
        return Chosen(replace(proven, batch_engine="forest", batch_from=fewest, parity=record), files)

    def _by_native(self, other: _Candidate, **reasons: str) -> Chosen:
        proven = replace(self.described, engine="native", parity={**other.parity.to_json(), **reasons})
        return Chosen(proven, {engines.NATIVE_FILE: other.content})

    def _by_both(self, onnx: _Candidate, other: _Candidate, fewest: int) -> Chosen:
        print(f"native answers {fewest:,} rows and more at once", flush=True)
        record = {**onnx.parity.to_json(), "native": other.parity.to_json()}
        proven = replace(self.described, engine="onnx", batch_engine="native", batch_from=fewest, parity=record)
        return Chosen(proven, {engines.ONNX_FILE: onnx.content, engines.NATIVE_FILE: other.content})
