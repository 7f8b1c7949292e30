"""Facts about layouts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LayoutChanged:
    """A layout is new or says something else."""

    layout_id: int
