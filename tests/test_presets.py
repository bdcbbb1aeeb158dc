"""Every preset is a valid profile and gives its firm's own published numbers."""

from __future__ import annotations

import json

import pytest

from rms_tui.assess import assess
from rms_tui.presets import UnknownPreset, expanded, preset, presets
from rms_tui.timeline import profile_from, read

EXAMPLES = [
    pytest.param(name, example, id=f"{name}-{number}")
    for name, one in presets().items()
    for number, example in enumerate(one.examples, 1)
]


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_a_preset_gives_its_firms_published_numbers(name, example):
    body = {"preset": name}
    if "initial_balance" in example:
        body["initial_balance"] = example["initial_balance"]
    profile = profile_from(expanded(body), name)
    document = json.dumps({"timeline": example["timeline"]})
    rows = list(assess(read(document, name, profile)))
    for wanted in example["expected"]:
        rules = rows[wanted["row"] - 1]["rules"]
        said = next(rule for rule in rules if rule["rule"] == wanted["rule"])
        for key in wanted.keys() - {"row", "rule"}:
            expected = wanted[key]
            if isinstance(expected, (int, float)):
                expected = pytest.approx(expected, abs=0.005)
            assert said[key] == expected, (wanted, said)


def test_the_presets_cover_the_published_kinds():
    kinds = set()
    for one in presets().values():
        profile = profile_from(expanded({"preset": one.name}), one.name)
        for rule in profile.rules:
            match rule.rule:
                case "daily_loss":
                    kinds.add(("daily", rule.base))
                case "trailing_drawdown":
                    kinds.add(("trailing", rule.peak))
                    kinds.add(("locked", rule.lock is not None))
                case other:
                    kinds.add(other)
    assert {
        ("daily", "balance"), ("daily", "equity"), ("daily", "max_balance_equity"),
        ("trailing", "equity"), ("trailing", "balance"), ("trailing", "eod_balance"),
        ("trailing", "max_balance_equity"), ("locked", True), ("locked", False), "total_loss",
    } <= kinds  # fmt: skip
    assert len({one.firm for one in presets().values()}) >= 12
    zones = {(one.profile.get("zone"), one.profile.get("rollover")) for one in presets().values()}
    assert len(zones) >= 6


def test_every_preset_names_its_sources_and_has_an_example():
    for one in presets().values():
        assert one.examples, one.name
        assert all(source.startswith("https://") for source in one.sources), one.name


def test_a_preset_is_overridden_key_by_key_and_an_unknown_one_is_named():
    assert expanded({"preset": "preset:ftmo-2step", "zone": "UTC"})["zone"] == "UTC"
    assert preset("ftmo-2step").firm == "FTMO"
    with pytest.raises(UnknownPreset, match="ftmo-2step"):
        preset("ftmo")
