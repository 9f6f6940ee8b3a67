"""Which engine a package gets: the one that model.yaml asks for, and only if it says what the fitted model says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from config.model import Model
from model_server import engines, scoring
from model_server.scoring import Columns
from model_server.signature import Signature
from pipelines.container import StepError
from pipelines.packaging import native, parity, speed
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
            print(f"not by ONNX Runtime: {error}", flush=True)
            return self._by_native(self._native(), onnx=str(error))
        try:
            other = self._native(onnx.content)
        except StepError as error:
            print(f"by ONNX Runtime alone: {error}", flush=True)
            return self._by_onnx(onnx)
        match speed.native_from(onnx.engine, other.engine, scoring.matrices(self.described, self.columns)):
            case None:
                return self._by_onnx(onnx)
            case 1:
                return self._by_native(other, onnx="right, and slower for a single row already")
            case fewest:
                return self._by_both(onnx, other, fewest)

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

    def _by_onnx(self, onnx: _Candidate) -> Chosen:
        proven = replace(self.described, engine="onnx", parity=onnx.parity.to_json())
        return Chosen(proven, {engines.ONNX_FILE: onnx.content})

    def _by_native(self, other: _Candidate, **reasons: str) -> Chosen:
        proven = replace(self.described, engine="native", parity={**other.parity.to_json(), **reasons})
        return Chosen(proven, {engines.NATIVE_FILE: other.content})

    def _by_both(self, onnx: _Candidate, other: _Candidate, fewest: int) -> Chosen:
        print(f"native answers {fewest:,} rows and more at once", flush=True)
        record = {**onnx.parity.to_json(), "native": other.parity.to_json()}
        proven = replace(self.described, engine="onnx", native_from=fewest, parity=record)
        return Chosen(proven, {engines.ONNX_FILE: onnx.content, engines.NATIVE_FILE: other.content})
