"""Names that AWS must know beforehand fit where they go."""

from __future__ import annotations

from config.naming import Names


def test_a_long_name_keeps_its_beginning_and_stays_one_of_its_own() -> None:
    names = Names("p" * 32)
    first, second = names.watch_rule("t" * 31 + "a", "retraining"), names.watch_rule("t" * 31 + "b", "retraining")
    assert first != second
    assert len(first) == len(second) == 64
    assert first.startswith(f"{'p' * 32}-watch-")


def test_a_short_name_is_kept() -> None:
    assert Names("shop").watch("search_team") == "shop-watch-search-team"
    assert Names("shop").watch_rule("search", "light") == "shop-watch-search-light"


def test_a_models_parameter_is_below_the_path_of_its_team() -> None:
    names = Names("shop")
    path = names.model_parameter("production", "search")
    assert path == "/shop/production/models/search"
    assert names.model_parameter("production", "search", "ranking") == f"{path}/ranking"


def test_dashboards_are_named_after_model_and_environment() -> None:
    assert Names("shop").dashboard("production", "next_best") == "shop-next-best-production"
    assert Names("shop").dashboard("production") == "shop-production"
