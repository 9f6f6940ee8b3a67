"""Whether a package reads and answers what the model.yaml of this checkout says."""

from __future__ import annotations

from collections.abc import Iterator

from config import features
from config.model import Model
from model_server.signature import Category, Feature, Signature

_ADVICE = "Train it again, or release it from the commit that it was trained with."


def mismatches(model: Model, signature: Signature) -> list[str]:
    """What differs, in sentences that name the features; empty where nothing does."""
    found = [*_names(model, signature), *_values(model, signature), *_answers(model, signature)]
    return [f"The package is not of this model.yaml: {each}. {_ADVICE}" for each in found]


def _names(model: Model, signature: Signature) -> Iterator[str]:
    wanted, has = [feature.name for feature in model.features], list(signature.names)
    lacking, extra = [name for name in wanted if name not in has], [name for name in has if name not in wanted]
    if lacking:
        yield f"it does not read {', '.join(lacking)}"
    if extra:
        yield f"it needs {', '.join(extra)}, which model.yaml does not list"
    if not lacking and not extra and wanted != has:
        moved = [name for name, other in zip(has, wanted, strict=True) if name != other]
        yield f"it reads {', '.join(moved)} in another order, and a CSV request has no names"


def _values(model: Model, signature: Signature) -> Iterator[str]:
    packaged = {feature.name: feature for feature in signature.features}
    for feature in model.features:
        other = packaged.get(feature.name)
        if other is None:
            continue
        if other.type != feature.type:
            yield f"{feature.name} is a {other.type} to it, and a {feature.type} in model.yaml"
            continue
        if other.nullable != feature.nullable:
            yield f"{feature.name} {'may' if other.nullable else 'may not'} be empty to it, unlike in model.yaml"
        yield from _allowed(feature, other)


def _allowed(feature: features.Feature, other: Feature) -> Iterator[str]:
    if isinstance(feature, features.Number) and not isinstance(other, Category):
        for bound in ("minimum", "maximum"):
            has, wanted = getattr(other, bound), getattr(feature, bound)
            if has != wanted:
                yield f"the {bound} of {feature.name} is {has} to it, and {wanted} in model.yaml"
    elif isinstance(feature, features.Category) and isinstance(other, Category):
        differing = sorted(set(other.values) ^ set(feature.values))
        if differing:
            yield f"only one of the two knows these values of {feature.name}: {', '.join(differing)}"


def _answers(model: Model, signature: Signature) -> Iterator[str]:
    for what, has, wanted in (
        ("its task", signature.task, model.task),
        ("its target", signature.target, model.target),
        ("its serving.invalid", signature.policy.invalid, model.serving.invalid),
        ("its serving.unseen", signature.policy.unseen, model.serving.unseen),
    ):
        if has != wanted:
            yield f"{what} is {has!r}, and {wanted!r} in model.yaml"
