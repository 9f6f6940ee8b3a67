"""CloudWatch's metric math, as far as alarms need it: one value per metric and period, None where there is none."""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from local_aws.errors import AwsError

Value = float | None

OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
OF_LISTS: dict[str, Callable[[list[float]], float]] = {
    "SUM": sum,
    "MIN": min,
    "MAX": max,
    "AVG": lambda values: sum(values) / len(values),
}
OF_ONE: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}
SPELLINGS = ((r"&&|\bAND\b", " and "), (r"\|\||\bOR\b", " or "), (r"\^", "**"), (r"<>", "!="))


@lru_cache
def expression(text: str) -> "Expression":
    """The expression of a text."""
    return Expression(text)


class Expression:
    """An expression over the ids of metrics, such as `IF(requests > 0, 100 * errors / requests, 0)`."""

    def __init__(self, text: str) -> None:
        self.text = text
        spelled = text
        for pattern, python in SPELLINGS:
            spelled = re.sub(pattern, python, spelled)
        try:
            self._tree = ast.parse(spelled.strip(), mode="eval").body
        except SyntaxError as error:
            raise self._refusal("it cannot be read") from error
        called = {node.func for node in ast.walk(self._tree) if isinstance(node, ast.Call)}
        self.names = {n.id for n in ast.walk(self._tree) if isinstance(n, ast.Name) and n not in called}
        self.value(dict.fromkeys(self.names, 1.0))  # what is not rehearsed is refused here, not at the first alarm

    def value(self, metrics: Mapping[str, Value]) -> Value:
        """The expression's value in a period."""
        try:
            return self._value(self._tree, metrics)
        except (ZeroDivisionError, OverflowError):
            return None

    def _value(self, node: ast.expr, metrics: Mapping[str, Value]) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                return metrics[name]
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._called(name.upper(), arguments, metrics)
        return self._operated(node, metrics)

    def _operated(self, node: ast.expr, metrics: Mapping[str, Value]) -> Value:
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _applied(operator.neg, self._value(operand, metrics))
            case (
                ast.BinOp(left=left, op=kind, right=right) | ast.Compare(left=left, ops=[kind], comparators=[right])
            ) if type(kind) in OPERATORS:
                return _applied(OPERATORS[type(kind)], self._value(left, metrics), self._value(right, metrics))
            case ast.BoolOp(op=kind, values=nodes):
                together = all if isinstance(kind, ast.And) else any
                return _applied(lambda *values: together(values), *(self._value(each, metrics) for each in nodes))
        raise self._refusal(f"{ast.unparse(node)!r} is not")

    def _called(self, name: str, arguments: list[ast.expr], metrics: Mapping[str, Value]) -> Value:
        match name, arguments:
            case "FILL", [series, ast.Constant(value=int() | float() as filling)]:
                value = self._value(series, metrics)
                return float(filling) if value is None else value
            case "IF", [condition, yes, no]:
                value = self._value(condition, metrics)
                return None if value is None else self._value(yes if value else no, metrics)
            case _, [ast.List(elts=elements)] if name in OF_LISTS:
                values = [value for each in elements if (value := self._value(each, metrics)) is not None]
                return float(OF_LISTS[name](values)) if values else None
            case _, [single] if name in OF_ONE:
                return _applied(OF_ONE[name], self._value(single, metrics))
        raise self._refusal(f"{name} with {len(arguments)} arguments of these kinds is not")

    def _refusal(self, why: str) -> AwsError:
        known = ", ".join([*OF_LISTS, *OF_ONE, "FILL(metric, number)", "IF(condition, then, else)"])
        return AwsError(
            "ValidationError",
            f"The metric math {self.text!r} is not rehearsed on the local AWS: {why}. "
            f"It has + - * / ^, comparisons, AND, OR, and {known}; the first four take a [list].",
        )


def _applied(function: Callable[..., Any], *values: Value) -> Value:
    return None if None in values else float(function(*values))
