"""Service Quotas: whether an account lets the project have what it asks for, beside what runs there already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.by_hand.doctor.needs import CONCURRENCY, SERVERLESS, TOTALS, Need, needs, quota_of
from pipelines.by_hand.doctor.places import Location
from pipelines.by_hand.doctor.saying import Said, failed, not_checked, ok, warning

SHOWN = 3
"""Endpoints that are named; of more only the number is said."""


def quotas(location: Location) -> Iterator[Said]:
    """Service Quotas."""
    project, models = location.around.project, location.around.models
    chosen = {need.quota for need in needs(project, models, location.chosen)}
    asked = [need for need in needs(project, models, location.holds) if need.quota in chosen]
    used, unknown = _used_by_others(location.client("sagemaker"), f"{project.name}-")
    if unknown:
        yield warning(
            f"what {', '.join(unknown[:SHOWN])} {'uses' if len(unknown) == 1 else 'use'} is not counted: "
            f"the config of {len(unknown)} endpoint(s) of others is deleted",
            "count them by hand in the console of Service Quotas",
        )
    for service in dict.fromkeys(need.service for need in asked):
        here = [need for need in asked if need.service == service]
        known = _known(location.client("service-quotas"), service, {need.quota for need in here})
        if not known:
            yield not_checked(f"quotas of {service}", "Service Quotas lists none of them here.")
            continue
        for need in here:
            yield _judge(need, known.get(need.quota), used[need.quota], location.region)


def _judge(need: Need, quota: Mapping[str, Any] | None, used: int, region: str) -> Said:
    if quota is None:
        fix = "choose another instance type, or another region, if this one does not have it"
        return not_checked(need.quota, f"Service Quotas lists none in {region}.", fix)
    value = int(quota["Value"])
    others = f", of which others use {used}" if used else ""
    wanted = f", {need.wanted} in the busiest hour" if need.wanted > need.least else ""
    text = f"quota {need.quota!r} is {value}{others}; the project asks for {need.least}{wanted}"
    fix = (
        f"aws service-quotas request-service-quota-increase --service-code {need.service} --quota-code "
        f"{quota['QuotaCode']} --desired-value {need.wanted + used} --region {region}"
    )
    if not quota.get("Adjustable", True):
        fix = "it cannot be raised: ask for less in model.yaml, or take another account or region"
    if value - used < need.least:
        return failed(text, fix)
    return warning(text, fix) if value - used < need.wanted else ok(text)


def _known(client: Any, service: str, names: set[str]) -> dict[str, Mapping[str, Any]]:
    """The quotas of those names; AWS lists what the account was given apart from what every account gets."""
    found: dict[str, Mapping[str, Any]] = {}
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        if names <= found.keys():
            break
        for page in client.get_paginator(operation).paginate(ServiceCode=service):
            for quota in page["Quotas"]:
                if quota["QuotaName"] in names:
                    found.setdefault(quota["QuotaName"], quota)
    return found


def _used_by_others(sagemaker: Any, ours: str) -> tuple[Counter[str], list[str]]:
    """The units of each quota that endpoints of somebody else have (ours are asked for anyway), and those untold.

    SageMaker lets anybody delete the config of an endpoint that serves; nothing else has its instance type.
    """
    used, unknown = Counter[str](), []
    for page in sagemaker.get_paginator("list_endpoints").paginate():
        for endpoint in page["Endpoints"]:
            name = endpoint["EndpointName"]
            if name.startswith(ours):
                continue
            try:
                used.update(_used(sagemaker, name))
            except sagemaker.exceptions.ClientError as error:
                if "Could not find" not in str(error):
                    raise
                unknown.append(name)
    return used, unknown


def _used(sagemaker: Any, name: str) -> Iterator[str]:
    endpoint = sagemaker.describe_endpoint(EndpointName=name)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    running = {variant["VariantName"]: variant for variant in endpoint.get("ProductionVariants", ())}
    for variant in config["ProductionVariants"]:
        if "ServerlessConfig" in variant:
            yield SERVERLESS
            yield from [CONCURRENCY] * variant["ServerlessConfig"]["MaxConcurrency"]
            continue
        count = running.get(variant["VariantName"], {}).get("CurrentInstanceCount")
        count = variant.get("InitialInstanceCount", 0) if count is None else count
        yield from [quota_of("endpoint", variant["InstanceType"]), TOTALS["endpoint"]] * count
