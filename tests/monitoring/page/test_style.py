from __future__ import annotations

import re
from pathlib import Path

import pytest

import monitoring.page

STYLE = (Path(monitoring.page.__file__).parent / "style.css").read_text(encoding="utf-8")


def colours(dark: bool) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    chosen = blocks[0] + (blocks[1] if dark else "")
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]+);", chosen))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_can_be_read(dark: bool) -> None:
    said = colours(dark)
    texts = ["ink", "muted", "alert", "green-word", "yellow-word", "red-word", "unknown-word"]
    for paper in ("paper", "raised"):
        for text in texts:
            assert contrast(said[text], said[paper]) >= 4.5, text


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_lines_bars_and_signs_can_be_told_apart(dark: bool) -> None:
    said = colours(dark)
    for line in ("estimate", "realized", "now"):
        assert contrast(said[line], said["paper"]) >= 3, line
    assert contrast(said["then"], said["now"]) >= 1.9
    for tier, sign in (("green", "sign"), ("yellow", "sign-dark"), ("red", "sign"), ("unknown", "sign")):
        assert contrast(said[tier], said[sign]) >= 2.9, tier


def test_nothing_is_loaded_and_phones_and_paper_are_thought_of() -> None:
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    for query in ("prefers-color-scheme: dark", "max-width: 560px", "@media print"):
        assert query in STYLE
