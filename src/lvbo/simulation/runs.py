# SPDX-License-Identifier: Apache-2.0
"""What a simulation leaves behind: one run per seed, with its vehicles, walkers, queues, lamps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from lvbo.errors import Finding
from lvbo.ids import ControllerId

VEHICLES = {
    "vehicle": pl.String,
    "type": pl.String,
    "vclass": pl.String,
    "depart_s": pl.Float64,
    "depart_delay_s": pl.Float64,
    "inserted": pl.Boolean,
    "arrived": pl.Boolean,
    "duration_s": pl.Float64,
    "time_loss_s": pl.Float64,
    "waiting_s": pl.Float64,
    "stopping_s": pl.Float64,
    "route_m": pl.Float64,
    "from_edge": pl.String,
    "to_edge": pl.String,
    "co2_mg": pl.Float64,
    "stops": pl.Int64,
}
"""One row per vehicle known to the run. `depart_s` is the scheduled time, `duration_s` the time in
the network (to the end of the run where unfinished), `stops` by the 5 and 15 km/h rule."""

PERSONS = {
    "person": pl.String,
    "depart_s": pl.Float64,
    "arrived": pl.Boolean,
    "walk_s": pl.Float64,
    "walk_m": pl.Float64,
    "time_loss_s": pl.Float64,
    "waiting_s": pl.Float64,
}
"""One row per person: walks only, rides left out."""

PASSAGES = {
    "vehicle": pl.String,
    "edge": pl.String,
    "enter_s": pl.Float64,
    "leave_s": pl.Float64,
    "stops": pl.Int64,
    "slow_s": pl.Float64,
}
"""One row per vehicle and edge driven, in order of time; `slow_s` is the time in a stop."""

EDGES = {
    "edge": pl.String,
    "from_node": pl.String,
    "to_node": pl.String,
    "length_m": pl.Float64,
    "speed_mps": pl.Float64,
    "lanes": pl.Int64,
    "queue_mean": pl.Float64,
    "queue_max": pl.Int64,
    "blocked_s": pl.Float64,
}
"""One row per edge: vehicles in a stop (mean over the run and most at once), and the seconds in
which a stopped vehicle stood at its upstream end."""

TRACKS = {
    "vehicle": pl.String,
    "t_s": pl.Float64,
    "edge": pl.String,
    "pos_m": pl.Float64,
    "speed_mps": pl.Float64,
}
"""Trajectories: where each vehicle was in every step, `pos_m` from the start of the edge."""

DECISIONS = {
    "second": pl.Int64,
    "controller": pl.String,
    "stage": pl.Int64,
    "code": pl.String,
    "fields": pl.String,
}
"""One row where a decision or its reason changed: second of the day, the stage wished (from 1, none
where phases are wished), a code of the tables of text, its fields as JSON."""

STOPS = {
    "route": pl.String,
    "number": pl.Int64,
    "controller": pl.String,
    "asked_s": pl.Int64,
    "green_s": pl.Int64,
    "passed_s": pl.Int64,
    "released_s": pl.Int64,
    "recovered_s": pl.Int64,
    "queues_s": pl.Int64,
    "end": pl.String,
}
"""One row per signal of an officers' route: when the site was led away from what its controller
wished, when the stage stood, when the last vehicle was over, when the site was given back, and how
many seconds later its controller had its way again and its queues were those of before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LampChange:
    """Say what the heads of a controller showed from `second` on, one character per index."""

    controller: ControllerId
    second: float
    state: str


WAITS = "LV728"
"""The refusal of a green whose intergreen has not run out: part of every change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controlled:
    """What a run under controllers showed beside traffic.

    `worst_wait_s` is the longest time anyone stood at once, `locks` who stood over 300 s, and
    `first_locked` SUMO's lane on which the first of them did, None where nobody did. `refused`
    counts what the gate did not grant, by code; `forced` the seconds in which it served a phase
    that had waited too long; `released` those in which local control had a site.
    """

    worst_wait_s: float
    locks: int
    first_locked: str | None
    refused: Mapping[str, int]
    forced: int
    released: int
    decision_ms_mean: float
    decision_ms_p99: float

    @property
    def rules_fired(self) -> int:
        """Return how often a rule changed what was wished, waits for clearance apart."""
        return sum(n for code, n in self.refused.items() if code != WAITS) + self.forced


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """One simulated run with one seed over [begin, end), judged from `judged_from_s` on.

    The frames have the columns of `VEHICLES`, `PERSONS`, `PASSAGES`, `EDGES` and, in a trajectory
    run, `TRACKS`. `violations` is what the lamp checker found; `controlled` what controllers did,
    `decisions`, with the columns of `DECISIONS`, why; `stops`, with those of `STOPS`, what
    happened along officers' routes.
    """

    seed: int
    begin_s: int
    judged_from_s: int
    judged_to_s: int
    end_s: float
    vehicles: pl.DataFrame
    persons: pl.DataFrame
    passages: pl.DataFrame
    edges: pl.DataFrame
    tracks: pl.DataFrame | None
    lamps: tuple[LampChange, ...]
    violations: tuple[Finding, ...]
    teleports: int
    collisions: int
    wall_s: float
    controlled: Controlled | None = None
    decisions: pl.DataFrame | None = None
    stops: pl.DataFrame | None = None

    @property
    def due(self) -> pl.DataFrame:
        """Return the vehicles whose scheduled departure lies in the judged window."""
        return self.vehicles.filter(
            pl.col("depart_s").is_between(self.judged_from_s, self.judged_to_s, closed="left")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error that ended a run, in a form that travels between processes."""

    code: str
    fields: dict[str, object]


@dataclass(frozen=True, eq=False, kw_only=True)
class Runs:
    """All runs of one controller in one scenario, by seed, and the manifest that repeats them."""

    scenario: str
    controller: str
    teleport_s: float
    runs: tuple[Run, ...]
    manifest: Mapping[str, object] = field(default_factory=dict)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return the seeds, in order."""
        return tuple(run.seed for run in self.runs)

    @property
    def lamp_violations(self) -> int:
        """Return the number of hard lamp rules broken in all runs."""
        return sum(len(run.violations) for run in self.runs)
