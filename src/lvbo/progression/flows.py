# SPDX-License-Identifier: Apache-2.0
"""The traffic of a corridor as its solvers need it: through flows, turn-in, queues to clear."""

from __future__ import annotations

from collections.abc import Sequence

from lvbo.ids import LinkId, MovementId, PhaseId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.progression.slack import CorridorFlows
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


def _green_share(plan: Plan, phases: Sequence[PhaseId]) -> float:
    green = max((plan.green_ds(p) for p in phases), default=0)
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
    through, saturation, share = _approach(network, volumes, movement)
    lanes = saturation / (3600 * SATURATION_VPS)
    queue = share * through / 3600 * cycle_s * red_share / lanes
    arriving = (1 - share) * through / 3600 / lanes
    if queue <= 0:
        return 0
    tau = START_S + queue / max(SATURATION_VPS - arriving, 0.1)
    return min(MOST_MS, round(1000 * tau))


def corridor_flows(corridor: Corridor, network: Network, volumes: Volumes) -> CorridorFlows:
    """Return through volumes, saturation and turn-in shares of both directions, by signal."""
    out = [_approach(network, volumes, stop.outbound) for stop in corridor.stops]
    back = [_approach(network, volumes, stop.inbound) for stop in corridor.stops]
    return CorridorFlows(
        volume_out_vph=tuple(a[0] for a in out),
        volume_in_vph=tuple(a[0] for a in back),
        saturation_out_vph=tuple(a[1] for a in out),
        saturation_in_vph=tuple(a[1] for a in back),
        turn_in_out=tuple(a[2] for a in out),
        turn_in_in=tuple(a[2] for a in back),
    )


def _approach(
    network: Network, volumes: Volumes, movement: MovementId | None
) -> tuple[float, float, float]:
    """Return volume, saturation flow in veh/h, and the share that turned in."""
    if movement is None:
        return 0.0, 3600 * SATURATION_VPS, 0.0
    served = network.movement_index[movement]
    lanes = max(1, sum(network.lane_index[lane].for_cars for lane in served.lanes))
    entering = sum(volumes.get(m.id, 0.0) for m in network.movements_into[served.from_link])
    joined = _turned_in(network, volumes, served.from_link)
    share = joined / entering if entering > 0 else 1.0
    return volumes.get(movement, 0.0), 3600 * SATURATION_VPS * lanes, share


def _turned_in(network: Network, volumes: Volumes, link: LinkId) -> float:
    """Return the flow that turned into a link at its start, veh/h."""
    into = network.movements_into[link]
    return sum(volumes.get(m.id, 0.0) for m in into if m.turn != "through")
