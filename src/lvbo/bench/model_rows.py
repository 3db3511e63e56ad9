# SPDX-License-Identifier: Apache-2.0
"""What the rows of the model bench are called, and the engines in them."""

from __future__ import annotations

from lvbo.bench.common import Row

MICRO, MESO = "sumo-micro", "sumo-meso"
UXSIM, UXSIM_SINGLE = "uxsim-5", "uxsim-1"
"""UXsim's C++ engine with platoons of five vehicles, its default, and of one."""
PLATOONS = {UXSIM: 5, UXSIM_SINGLE: 1}

SPEED, RANKING = "speed", "ranking"
OK, MISSING = "ok", "missing"

COLUMNS = (
    "part",
    "level",
    "engine",
    "status",
    "signals",
    "plans",
    "saturation",
    "cpu_ms_per_plan",
    "ratio_to_micro",
    "ratio_to_meso",
    "ratio_to_uxsim",
    "flop_share",
    "memory_share",
    "spearman",
    "low",
    "high",
    "kendall",
    "offsets_only_spearman",
    "delay_ratio",
)
"""All keys of a row; what a part does not measure is None.

`level` is the degree of saturation asked for, `saturation` that of the grid. Ratios say how many
times less CPU time a plan takes than in the engine named. `low` and `high` bound `spearman` (95 %
over plans). `delay_ratio` is the mean delay as a share of that of SUMO micro.
"""


def whole(row: Row) -> Row:
    """Return the row with every key, in order."""
    return {key: row.get(key) for key in COLUMNS}
