"""Rows point down the layers, as imports do; a lower domain never learns who points at it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey, ManyToManyField

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def floors() -> dict[str, int]:
    """The floor of each domain, the lowest is 0; from the contract that import-linter enforces."""
    contracts = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["containers"] == ["envoi"])
    return {
        name.strip(): floor for floor, layer in enumerate(reversed(layers)) for name in layer.strip("()").split("|")
    }


FLOORS = floors()
POINTERS = [
    field
    for model in apps.get_models(include_auto_created=False)
    if model._meta.app_label in FLOORS
    for field in model._meta.get_fields()
    if isinstance(field, ForeignKey | ManyToManyField)
]


def test_there_is_something_to_check() -> None:
    assert len(POINTERS) > 5


@pytest.mark.parametrize("field", POINTERS, ids=str)
def test_it_points_down_and_leaves_no_trace_there(field: ForeignKey[object, object]) -> None:
    here, there = field.model._meta.app_label, field.related_model._meta.app_label
    if here == there:
        return
    assert FLOORS.get(there, -1) < FLOORS[here], f"{field} points up or sideways"
    assert field.remote_field.related_name == "+", f"{field} needs related_name='+'"
