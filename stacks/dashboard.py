"""What a person sees first: one dashboard for each model in production, and one for all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from config.hosting import Dedicated
from config.model import Model
from stacks.endpoint import Endpoint
from stacks.place import Place

DAY = cdk.Duration.days(1)
HALF, WHOLE = 12, 24
LIGHT = "Light: 0 green, 1 unknown, 2 yellow, 3 red"


def dashboard_link(scope: Construct, name: str) -> str:
    """Where a person opens a dashboard."""
    region = cdk.Stack.of(scope).region
    return f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#dashboards/dashboard/{name}"


class ModelDashboard(Construct):
    """The light of one model and why, then its requests, then its machines."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        place: Place,
        *,
        model: Model,
        endpoint: Endpoint,
        records_bucket: str,
        alarms: Iterable[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, name)
        self._place, self._model, self._endpoint = place, model, endpoint
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=place.names.dashboard(place.name, model.name),
            default_interval=cdk.Duration.days(30),
            widgets=[
                [self._advice(records_bucket), cloudwatch.AlarmStatusWidget(alarms=list(alarms), width=HALF, height=5)],
                [self._light(), self._graph("Performance of the newest period", "Estimated", "Realized")],
                [
                    self._drift(),
                    self._graph("Kept of the answers; of these, labelled", "CaptureCoverage", "LabelCoverage"),
                ],
                [self._graph("Rows judged", "Rows"), self._graph("Features that drifted", "DriftedFeatures")],
                [self._requests(), self._latency()],
                [self._machines()],
            ],
        )

    def _advice(self, bucket: str) -> cloudwatch.IWidget:
        region = cdk.Stack.of(self).region
        key = quote(f"watch/{self._model.team}/{self._model.name}/report.html", safe="")
        report = f"https://{region}.console.aws.amazon.com/s3/object/{bucket}?region={region}&prefix={key}"
        return cloudwatch.TextWidget(
            width=HALF,
            height=5,
            markdown="\n".join(
                [
                    f"# {self._model.name} in {self._place.name}",
                    f"{self._model.description} Owners: {', '.join(self._model.owners)}.",
                    f"* **Red, yellow, unknown**: [the report]({report}) says why.",
                    "* **Errors, or slow**: since a release? Release the package before it. Else read the log "
                    f"`/aws/sagemaker/Endpoints/{self._endpoint.endpoint_name}`.",
                ]
            ),
        )

    def _light(self) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(
            title=LIGHT,
            width=HALF,
            left=[self._watched("Light", cloudwatch.Stats.MAXIMUM)],
            left_y_axis=cloudwatch.YAxisProps(min=0, max=3, show_units=False),
            left_annotations=[
                cloudwatch.HorizontalAnnotation(value=2, label="yellow", color=cloudwatch.Color.ORANGE),
                cloudwatch.HorizontalAnnotation(value=3, label="red", color=cloudwatch.Color.RED),
            ],
        )

    def _graph(self, title: str, *names: str) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(
            title=title,
            width=HALF,
            left=[self._watched(name, cloudwatch.Stats.AVERAGE) for name in names],
            left_y_axis=cloudwatch.YAxisProps(show_units=False),
        )

    def _drift(self) -> cloudwatch.IWidget:
        where = f'MetricName="Psi" Environment="{self._place.name}" Model="{self._model.name}"'
        return cloudwatch.GraphWidget(
            title="Drift of the features that drifted most (PSI)",
            width=HALF,
            left=[_search(f"{self._place.names.watch_namespace},Environment,Feature,Model", where, "Maximum", DAY)],
        )

    def _requests(self) -> cloudwatch.IWidget:
        metric = self._endpoint.metric
        return cloudwatch.GraphWidget(
            title="Requests, and how many of them failed",
            width=HALF,
            left=[metric("Invocations", cloudwatch.Stats.SUM, minutes=5)],
            right=[metric(f"Invocation{kind}Errors", cloudwatch.Stats.SUM, minutes=5) for kind in ("4XX", "5XX")],
        )

    def _latency(self) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(
            title="The model's time for a request (microseconds)",
            width=HALF,
            left=[self._endpoint.metric("ModelLatency", percentile, minutes=5) for percentile in ("p50", "p95", "p99")],
            right=[self._endpoint.metric("OverheadLatency", "p99", minutes=5)],
        )

    def _machines(self) -> cloudwatch.IWidget:
        if not isinstance(self._endpoint.hosting, Dedicated):
            return cloudwatch.GraphWidget(
                title=f"Requests at once, of {self._endpoint.hosting.concurrency}",
                width=WHOLE,
                left=[self._endpoint.metric("ServerlessConcurrentExecutionsUtilization", cloudwatch.Stats.MAXIMUM)],
            )
        # Every instance sends its CPU once a minute.
        count = self._endpoint.metric_instance("CPUUtilization", statistic=cloudwatch.Stats.SAMPLE_COUNT, minutes=1)
        return cloudwatch.GraphWidget(
            title="Instances (right), and how busy they are (percent; CPU: of one core)",
            width=WHOLE,
            left=[self._endpoint.metric_instance(f"{name}Utilization") for name in ("CPU", "Memory")],
            right=[count.with_(label="Instances")],
        )

    def _watched(self, name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=self._place.names.watch_namespace,
            metric_name=name,
            dimensions_map={"Environment": self._place.name, "Model": self._model.name},
            statistic=statistic,
            period=DAY,
        )


class FleetDashboard(Construct):
    """All models of an environment; everything on it is searched for, so that it knows no model's name."""

    def __init__(self, scope: Construct, name: str, place: Place) -> None:
        super().__init__(scope, name)
        self._place = place
        lights = self._watch("Light", "Maximum")
        drifted, judged = self._watch("DriftedFeatures", "Maximum"), self._watch("Judged", "SampleCount", "Team")
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=place.names.dashboard(place.name),
            default_interval=cdk.Duration.days(7),
            widgets=[
                [_text(place)],
                [
                    self._graph(f"The worst lights. {LIGHT}", f"SORT({lights}, MAX, DESC, 20)", DAY, bars=True),
                    self._graph(f"All lights. {LIGHT}", lights, DAY),
                ],
                [
                    self._graph("Features that drifted, the 20 most", f"SORT({drifted}, MAX, DESC, 20)", DAY),
                    self._graph("Finished runs of the watch, by team", judged, DAY),
                ],
                [
                    self._graph("Requests", f"SUM({self._requests('Invocations', 'Sum')})"),
                    self._graph("Failed requests", f"SUM({self._requests('Invocation5XXErrors', 'Sum')})"),
                ],
                [
                    self._graph(
                        "The slowest models (p99, microseconds)",
                        f"SORT({self._requests('ModelLatency', 'p99')}, MAX, DESC, 20)",
                    ),
                    self._graph("Hours of instances in an hour: what costs most", self._instances(), _HOUR),
                ],
            ],
        )

    def _watch(self, name: str, statistic: str, by: str = "Model") -> str:
        schema = f"{self._place.names.watch_namespace},Environment,{by}"
        return _found(schema, f'MetricName="{name}" Environment="{self._place.name}"', statistic, DAY)

    def _requests(self, name: str, statistic: str) -> str:
        return _found("AWS/SageMaker,EndpointName,VariantName", self._of_endpoints(name), statistic, _MINUTES)

    def _instances(self) -> str:
        schema = "/aws/sagemaker/Endpoints,EndpointName,VariantName"
        return f"SUM({_found(schema, self._of_endpoints('CPUUtilization'), 'SampleCount', _HOUR)}) / 60"

    def _of_endpoints(self, name: str) -> str:
        """Words are matched one by one; an endpoint's name begins with the project's and ends with the place's."""
        words = re.findall(r"[a-z0-9]+", f"{self._place.project.name} {self._place.name}")
        return f'MetricName="{name}" EndpointName=({" AND ".join(words)})'

    def _graph(
        self, title: str, expression: str, period: cdk.Duration | None = None, *, bars: bool = False
    ) -> cloudwatch.IWidget:
        view = cloudwatch.GraphWidgetView
        return cloudwatch.GraphWidget(
            title=title,
            width=HALF,
            left=[
                cloudwatch.MathExpression(expression=expression, using_metrics={}, period=period or _MINUTES, label="")
            ],
            left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
            view=view.BAR if bars else view.TIME_SERIES,
        )


_MINUTES, _HOUR = cdk.Duration.minutes(5), cdk.Duration.hours(1)


def _text(place: Place) -> cloudwatch.IWidget:
    return cloudwatch.TextWidget(
        width=WHOLE,
        height=2,
        markdown=f"# {place.project.name} in {place.name}\n"
        f"Each model has a dashboard, `{place.names.dashboard(place.name, '<model>')}`, which says what to do.",
    )


def _found(schema: str, where: str, statistic: str, period: cdk.Duration) -> str:
    names = ",".join(f'"{name}"' for name in schema.split(","))
    return f"SEARCH('{{{names}}} {where}', '{statistic}', {period.to_seconds():.0f})"


def _search(schema: str, where: str, statistic: str, period: cdk.Duration) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression=_found(schema, where, statistic, period), using_metrics={}, period=period, label=""
    )
