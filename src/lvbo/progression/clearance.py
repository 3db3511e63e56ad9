# SPDX-License-Identifier: Apache-2.0
"""How much earlier the band must leave a signal, because a queue stands before it."""

from __future__ import annotations

from collections.abc import Sequence

from lvbo.ids import LinkId, MovementId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.signal.plan import Plan
from lvbo.timing.plans import Volumes

SATURATION_VPS = 0.46
"""Discharge of a through lane, about 1,650 veh/h."""
START_S = 2.0
MOST_MS = 10_000


def clearances_ms(
    corridor: Corridor,
    network: Network,
    volumes: Volumes,
    plans: Sequence[Plan],
    cycle_ds: int,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the queue clearance of both directions per signal, in ms, for the common cycle.

    tau = l + Q / (s - q) per lane, Q the turning traffic that joined the street since the last
    green (practice of band design; Little, Kelson and Gartner 1981 take tau as given).
    """
    cycle_s = cycle_ds / 10
    out, back = [], []
    last = len(corridor.stops) - 1
    for k, (stop, plan) in enumerate(zip(corridor.stops, plans, strict=True)):
        red_share = 1.0 - _green_share(plan, stop.outbound_phases)
        out.append(0 if k == 0 else _tau_ms(network, volumes, stop.outbound, red_share, cycle_s))
        red_share = 1.0 - _green_share(plan, stop.inbound_phases)
        ahead = k == last or not corridor.inbound
        back.append(0 if ahead else _tau_ms(network, volumes, stop.inbound, red_share, cycle_s))
    return tuple(out), tuple(back)


def _green_share(plan: Plan, phases: Sequence[object]) -> float:
    green = max((plan.green_ds(p) for p in phases), default=0)  # type: ignore[arg-type]
    return green / plan.cycle_ds


def _tau_ms(
    network: Network,
    volumes: Volumes,
    movement: MovementId | None,
    red_share: float,
    cycle_s: float,
) -> int:
    if movement is None:
        return 0
    served = network.movement_index[movement]
    lanes = max(1, sum(network.lane_index[lane].for_cars for lane in served.lanes))
    through = volumes.get(movement, 0.0)
    joined = _turned_in(network, volumes, served.from_link)
    entering = sum(volumes.get(m.id, 0.0) for m in network.movements_into[served.from_link])
    share = joined / entering if entering > 0 else 0.0
    queue = share * through / 3600 * cycle_s * red_share / lanes
    arriving = (1 - share) * through / 3600 / lanes
    if queue <= 0:
        return 0
    tau = START_S + queue / max(SATURATION_VPS - arriving, 0.1)
    return min(MOST_MS, round(1000 * tau))


def _turned_in(network: Network, volumes: Volumes, link: LinkId) -> float:
    """Return the flow that turned into a link at its start, veh/h."""
    into = network.movements_into[link]
    return sum(volumes.get(m.id, 0.0) for m in into if m.turn != "through")
