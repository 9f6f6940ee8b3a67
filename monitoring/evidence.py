"""What a period's report says for and against its model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from monitoring import tier
from monitoring.tier import Evidence

if TYPE_CHECKING:
    from monitoring.baseline import Baseline
    from monitoring.profile import Profile

_RATES = {
    "missing_rate": "is missing",
    "unseen_rate": "has a value that the reference never had",
    "out_of_range_rate": "is outside the reference's range",
}


def gather(profile: Profile, number: int, told: Mapping[str, Any], contributions: Mapping[str, float]) -> Evidence:
    """The evidence of one period, from its part of the report and what each feature contributes to the change."""
    baseline = profile.baseline
    rules = baseline.spec.rules
    found = Evidence()
    if told["n"] < rules.min_rows:
        found.few_rows = f"{told['n']} rows are too few to say anything; {rules.min_rows:,} are asked for"
        return found
    if not baseline.thresholds.sizes:
        found.unknown.append("the reference is too small for thresholds: nobody knows what is normal")
    _schema(profile, number, told, found)
    _labels(baseline, told, found)
    _performance(baseline, told, found)
    _drift(baseline, told, contributions, found)
    for name, each in told["features"].items():
        for rate, words in _RATES.items():
            if each[rate] is not None and rate in each["alerts"] and each[rate] >= rules.quality:
                found.quality.append(
                    f"{name} {words} in {each[rate]:.1%} of rows, normal is up to {each['thresholds'][rate]:.1%}"
                )
    return found


def _schema(profile: Profile, number: int, told: Mapping[str, Any], found: Evidence) -> None:
    for name, counted in profile.features.items():
        tails = counted.tails.of(number)
        for tail, words in (("absent", "has no column"), ("invalid", "has values of another type")):
            share = tails[tail] / told["n"]
            if share >= profile.baseline.spec.rules.schema_break:
                found.broken.append(f"{name} {words} in {share:.0%} of rows: the schema is broken")
            elif share:
                found.quality.append(f"{name} {words} in {share:.2%} of rows")


def _labels(baseline: Baseline, told: Mapping[str, Any], found: Evidence) -> None:
    rules, labels = baseline.spec.rules, told["labels"]
    if not labels["n"]:
        found.few_labels = (
            "no labels have come: how good the answers were is not known, an estimate sees only a changed mix"
        )
    elif labels["n"] < rules.min_labels or labels["coverage"] < rules.label_coverage:
        found.few_labels = (
            f"only {labels['n']:,} rows ({labels['coverage']:.0%}) have a label; "
            f"{rules.min_labels:,} and {rules.label_coverage:.0%} are asked for before labels decide"
        )


def _performance(baseline: Baseline, told: Mapping[str, Any], found: Evidence) -> None:
    for metric in baseline.deciding:
        if metric not in told["estimated"]:
            found.unknown.append(f"{metric} could not be estimated")
        for kind, findings in (("realized", found.realized), ("estimated", found.estimated)):
            if metric in told[kind]:
                if (doubt := _doubt(baseline, told[kind][metric], f"{kind} {metric}")) is not None:
                    (found.early if kind == "realized" and found.few_labels else found.unknown).append(doubt)
                rows = told["labels"]["n"] if kind == "realized" else told["n"]
                if (finding := tier.outside(metric, told[kind][metric], kind, rows)) is not None:
                    findings.append(finding)
        if (sentence := _concept(baseline, told, metric)) is not None:
            found.concept.append(sentence)


def _doubt(baseline: Baseline, one: Mapping[str, Any], what: str) -> str | None:
    if one["value"] is None:
        return f"{what} is not defined for this period; perhaps it has one class only"
    if one["alert"] is None and baseline.thresholds.sizes:
        return f"{what} has no threshold: parts of the reference do not say what is normal"
    return None


def _concept(baseline: Baseline, told: Mapping[str, Any], metric: str) -> str | None:
    """That labels say what no changed mix of rows explains, where chance does not either and it is enough to matter."""
    gap = told["concept_drift"].get(metric)
    if not gap or not gap["alert"] or (gap["value"] > 0) != (metric in tier.LOWER_IS_BETTER):
        return None
    if abs(gap["value"]) < baseline.spec.rules.contribution * abs(baseline.metrics.get(metric, 0.0)):
        return None
    realized, estimated = (told[kind][metric]["value"] for kind in ("realized", "estimated"))
    return (
        f"realized {metric} is {realized:.4g} where the mix of rows lets expect {estimated:.4g}: the estimate "
        "did not see it, so what the model learned may no longer hold (concept drift)"
    )


def _drift(baseline: Baseline, told: Mapping[str, Any], contributions: Mapping[str, float], found: Evidence) -> None:
    rules, metric = baseline.spec.rules, told["contribution_metric"]
    error = told["multivariate"]["pca_reconstruction_error"]
    if told["multivariate"]["alert"]:
        found.drift.append(f"the features together changed: their reconstruction error of {error:.4g} is not normal")
    elif error is None and baseline.multivariate is not None:
        found.unknown.append("the reconstruction error of the features could not be computed")
    material = rules.contribution * abs(baseline.metrics.get(metric, 0.0) or 0.0)
    for name, each in told["features"].items():
        if each["psi"] is None:
            found.unknown.append(f"the drift of {name} could not be measured")
        elif each["psi"] >= rules.psi and "psi" in each["alerts"]:
            moved = contributions.get(name)
            if moved is None or abs(moved) >= material:
                effect = "" if moved is None else f", which moves {metric} by {moved:+.4f}"
                found.drift.append(f"{name} drifted (PSI {each['psi']:.3g}){effect}")
