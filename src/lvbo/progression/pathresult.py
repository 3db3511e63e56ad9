# SPDX-License-Identifier: Apache-2.0
"""Which paths of a street get bands of their own, and what they got."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lvbo.errors import Finding
from lvbo.ids import ControllerId, LinkId
from lvbo.network.place import Turn
from lvbo.progression.busband import BusLine
from lvbo.progression.pathband import PathBandPlan, PathBandProblem
from lvbo.progression.wave import Wave

CAR_PERSONS = 1.3
KEPT = 0.7
COUNTED = 0.8


class PathKind(StrEnum):
    """Say who a path is for."""

    THROUGH = "through"
    TURNING = "turning"
    BUS = "bus"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathWish:
    """Which paths get bands of their own.

    The `most` largest paths that turn, and the through ones, whose bands keep at least
    `least_through` of the two-way wave; buses, whose bands count on the middle `counted` share of
    their dwell. Paths weigh by their persons.
    """

    most: int = 8
    least_through: float = KEPT
    buses: tuple[BusLine, ...] = ()
    counted: float = COUNTED


@dataclass(frozen=True, slots=True, kw_only=True)
class PathBand:
    """One path and its band in the two-way wave and in the wave for paths.

    `controllers` are those it passes. Of buses, `kept_before` and `kept` are the shares of dwell
    times at which they meet no red.
    """

    kind: PathKind
    name: str
    outbound: bool
    controllers: tuple[ControllerId, ...]
    links: tuple[LinkId, ...]
    turn_in: Turn
    turn_out: Turn
    vehicles_ph: float
    persons_ph: float
    before_ms: int
    band_ms: int
    kept_before: float | None = None
    kept: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPeriod:
    """The paths of one period, and the problem and plan behind their bands."""

    day_type: str
    period: str
    bands: tuple[PathBand, ...]
    problem: PathBandProblem
    plan: PathBandPlan
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathWave:
    """A street coordinated for its paths: the wave that runs, and the paths by period."""

    wave: Wave
    periods: tuple[PathPeriod, ...]
