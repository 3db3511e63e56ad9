# SPDX-License-Identifier: Apache-2.0
"""Named aims of an area plan, and what each makes stops, full lanes and passengers worth."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from lvbo.ids import MovementId
from lvbo.optimize.search import Objective

IDLING_ML_PS = 0.375
ENGINE_ML_PKJ = 0.09
CAR_KG = 1400.0
DRIVEN_MPS = 12.5
"""Fuel of a light vehicle: 1350 mL/h idling, 0.09 mL per kJ of engine work, 1400 kg (Akcelik and
Besley, 2003). Platoons drive 45 km/h. CO2 goes with fuel, so the price of a stop needs no factor.
"""
STOP_ML = ENGINE_ML_PKJ * CAR_KG * DRIVEN_MPS**2 / 2 / 1000
STOP_CO2_S = STOP_ML / IDLING_ML_PS
"""The speed that a stop takes away costs as much fuel as 26 s of idling."""

CAR_PERSONS, BUS_PERSONS = 1.3, 12.0
"""Who is aboard where nothing better is known, as in the measures of a run."""


class Aim(StrEnum):
    """What an area plan shall make small."""

    DELAY = "delay"
    BALANCED = "balanced"
    STOPS = "stops"
    CO2 = "co2"
    QUEUES = "queues"


OBJECTIVES: Mapping[Aim, Objective] = {
    Aim.DELAY: Objective(stop_s=0.0),
    Aim.BALANCED: Objective(),
    Aim.STOPS: Objective(stop_s=40.0),
    Aim.CO2: Objective(stop_s=round(STOP_CO2_S, 1)),
    Aim.QUEUES: Objective(spill_s=12.0),
}
"""Prices in seconds of delay: of a stop, and of each second beyond the storage of a lane."""


def objective_of(aim: Aim) -> Objective:
    """Return the prices of a named aim."""
    return OBJECTIVES[aim]


def passenger_worth(
    volumes_vph: Mapping[MovementId, float],
    bus_ph: Mapping[MovementId, float],
    *,
    bus_persons: float = BUS_PERSONS,
    car_persons: float = CAR_PERSONS,
) -> dict[MovementId, float]:
    """Return what a vehicle of each movement with buses counts: those aboard, in cars.

    40 buses of 12 among 400 vehicles make a mean of 2.37 persons: each counts 1.82 cars.
    """
    found = {}
    for movement, buses in bus_ph.items():
        total = max(volumes_vph.get(movement, 0.0), buses)
        if buses > 0:
            share = buses / total
            found[movement] = share * bus_persons / car_persons + 1 - share
    return found
