# SPDX-License-Identifier: Apache-2.0
"""The supervisor of waves on the bundled street: hours, gain and price, slow moves, room."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lvbo.city.build import pilot_folder
from lvbo.control.metering import Metering
from lvbo.control.protocols import Coordination, LaneState, Observation, Wish
from lvbo.control.site import Site, read_site
from lvbo.control.slow import CYCLE_STEP_S, LOOKS, MOVE_EVERY_S, SlowMoves
from lvbo.control.supervisor import (
    AGAIN_S,
    LOOK_EVERY_S,
    NONE_OF_IT,
    OLD_ENOUGH_S,
    RESTS_S,
    SURE,
    Supervision,
    Supervisor,
)
from lvbo.control.windows import in_window
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.progression.coordinate import Street, coordinate
from lvbo.progression.wave import PeriodWave, Wave, WaveSettings
from lvbo.project.line import safe_plans
from lvbo.signal.lamp import Lamp

DAY = "workday"
BEGIN_S = 9 * 3600 + 20 * 60
JUDGES = Supervision(moves=False, meters=False)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return read_scenario(pilot_folder() / "yuci.demo.sumocfg")


@pytest.fixture(scope="module")
def wave(scenario: Scenario) -> Wave:
    network = scenario.network
    return coordinate(
        network.corridor("安宁街"),
        safe_plans(network, scenario.plans),
        street=Street(network=network),
        settings=WaveSettings(clear_queues=False, may_reorder=False),
    )


@pytest.fixture(scope="module")
def sites(scenario: Scenario) -> tuple[Site, ...]:
    return tuple(read_site(scenario.network, c) for c in scenario.network.controllers)


def lanes(site: Site, **seen: np.ndarray) -> LaneState:
    zero = np.zeros(len(site.lanes))
    usual = LaneState(
        queue=zero,
        arrivals=np.zeros((len(site.lanes), 90), dtype=np.float32),
        present=zero,
        near=zero,
        wait_s=zero,
        left=zero,
        rate_vps=zero,
        gap_s=zero,
        head=np.full(len(site.lanes), -1),
        stands=np.zeros(len(site.lanes), dtype=bool),
        load=np.ones(len(site.lanes)),
        endless=np.ones(len(site.lanes), dtype=bool),
    )
    return replace(usual, **seen)


def look(site: Site, now_s: int, state: LaneState) -> Observation:
    return Observation(
        controller=site.id,
        time_s=now_s,
        seen_s=now_s,
        lamps=np.zeros(len(site.phases), dtype=np.int64),
        since_s=np.zeros(len(site.phases), dtype=np.int64),
        lanes=state,
        working=np.ones(len(site.lanes), dtype=bool),
        blocked=np.zeros(len(site.movements), dtype=bool),
        calls=np.zeros(len(site.phases), dtype=bool),
    )


def wish(site: Site, price: float) -> Wish:
    return Wish(greens=np.zeros(len(site.phases), dtype=bool), price_vehs=price)


def kept(supervisor: Supervisor, sites: tuple[Site, ...]) -> list[Coordination]:
    """Return what is kept anywhere."""
    return [keep for s in sites if (keep := supervisor.keep(s.id)) is not None]


def let_pass(
    supervisor: Supervisor,
    sites: tuple[Site, ...],
    span: range,
    price: float,
    *,
    platoons: bool = True,
    standing: float = 0.0,
) -> list[str]:
    """Let vehicles pass that all come in windows, or else evenly; return the codes told, in order.

    While windows are not held so many more stand on each lane.
    """
    told: list[str] = []
    red_s = {site.id: 0 for site in sites}
    for now in span:
        supervisor.step(now)
        told += dict.fromkeys(reason.code for _, reason in supervisor.told)
        for site in sites:
            keep = supervisor.keep(site.id)
            if keep is None:
                continue
            inside = any(in_window(w, now - site.controller.sync_s) for w in keep.windows)
            stand = 0.0 if inside or platoons else 0.1 * red_s[site.id]
            red_s[site.id] = 0 if inside else red_s[site.id] + 1
            more = 0.0 if keep.holds else standing
            state = lanes(
                site,
                queue=np.full(len(site.lanes), stand + more),
                left=np.full(len(site.lanes), 0.1),
                rate_vps=np.full(len(site.lanes), 0.1),
            )
            seen = look(site, now, state)
            lit = np.full(len(site.phases), int(Lamp.GREEN if inside else Lamp.RED))
            supervisor.learn(replace(seen, lamps=lit), wish(site, price))
    return told


def test_windows_are_those_of_the_hour_and_only_of_the_street(
    scenario: Scenario, sites: tuple[Site, ...], wave: Wave
) -> None:
    supervisor = Supervisor(scenario.network, sites, (wave,), DAY)
    found = {}
    for hour in (3, 8, 12):
        supervisor.step(hour * 3600)
        found[hour] = {s.id: supervisor.keep(s.id) for s in sites}
    own = {name for name, keep in found[8].items() if keep is not None}

    assert own
    assert own <= set(wave.corridor.controllers)
    cycles = {h: {k.plan.cycle_ds for k in kept.values() if k} for h, kept in found.items()}
    assert cycles[8] != cycles[3]


TRIED_S = OLD_ENOUGH_S + (SURE + 2) * LOOK_EVERY_S


def test_a_wave_that_seems_too_dear_is_given_up_as_long_as_passing_costs_less_without_it(
    scenario: Scenario, sites: tuple[Site, ...], wave: Wave
) -> None:
    supervisor = Supervisor(scenario.network, sites, (wave,), DAY, JUDGES)
    dear = range(BEGIN_S, BEGIN_S + TRIED_S)
    told = let_pass(supervisor, sites, dear, price=9.0, platoons=False)
    keeps = kept(supervisor, sites)

    assert told == ["LV776"]
    assert keeps
    assert not any(keep.holds for keep in keeps)

    better = range(dear.stop, dear.stop + AGAIN_S - TRIED_S)
    assert not let_pass(supervisor, sites, better, 9.0, platoons=False, standing=-0.5)
    after = range(better.stop, better.stop + TRIED_S)
    assert let_pass(supervisor, sites, after, 0.0, platoons=False, standing=-0.5) == ["LV775"]
    assert all(keep.holds for keep in kept(supervisor, sites))


def test_a_wave_is_taken_up_again_and_left_alone_where_passing_does_not_cost_less_without_it(
    scenario: Scenario, sites: tuple[Site, ...], wave: Wave
) -> None:
    supervisor = Supervisor(scenario.network, sites, (wave,), DAY, JUDGES)
    trial = range(BEGIN_S, BEGIN_S + 2 * TRIED_S)

    assert let_pass(supervisor, sites, trial, 9.0, platoons=False) == ["LV776", "LV775"]
    rests = range(trial.stop, trial.stop + RESTS_S - TRIED_S)
    assert not let_pass(supervisor, sites, rests, 9.0, platoons=False)
    again = range(rests.stop, rests.stop + 3 * TRIED_S)
    assert let_pass(supervisor, sites, again, 9.0, platoons=False) == ["LV776", "LV775"]
    longer = range(again.stop, again.stop + RESTS_S)
    assert not let_pass(supervisor, sites, longer, 9.0, platoons=False)


def test_a_wave_that_gives_more_than_it_costs_stays(
    scenario: Scenario, sites: tuple[Site, ...], wave: Wave
) -> None:
    supervisor = Supervisor(scenario.network, sites, (wave,), DAY, JUDGES)
    span = range(BEGIN_S, BEGIN_S + 2 * TRIED_S)

    assert not let_pass(supervisor, sites, span, price=9.0)
    other = Supervisor(scenario.network, sites, (wave,), DAY, JUDGES)
    assert not let_pass(other, sites, span, price=0.0, platoons=False)


def test_without_supervision_nothing_is_judged(
    scenario: Scenario, sites: tuple[Site, ...], wave: Wave
) -> None:
    supervisor = Supervisor(scenario.network, sites, (wave,), DAY, NONE_OF_IT)

    assert not let_pass(supervisor, sites, range(BEGIN_S, BEGIN_S + 1200), price=1000.0)


# slow moves ------------------------------------------------------------------------------------


def moved(
    scenario: Scenario,
    sites: tuple[Site, ...],
    wave: Wave,
    vph: float,
    lamp: Lamp = Lamp.GREEN,
) -> tuple[PeriodWave, PeriodWave | None]:
    """Return the wave of the hour, and the next after a while with so much traffic on each lane.

    They leave while all lamps show `lamp`.
    """
    now = next(w for w in wave.periods if w.day_type == DAY and w.period == _period(wave))
    own = {s.id: s for s in sites if s.id in wave.corridor.controllers}
    slow = SlowMoves(scenario.network, own, wave)
    slow.begin(now, BEGIN_S)
    after = None
    for look_s in range(BEGIN_S, BEGIN_S + LOOKS * MOVE_EVERY_S, MOVE_EVERY_S):
        assert after is None  # once is not enough
        for second in range(look_s, look_s + MOVE_EVERY_S):
            for site in own.values():
                left = np.full(len(site.lanes), vph / 3600)
                seen = look(site, second, lanes(site, left=left))
                slow.learn(replace(seen, lamps=np.full(len(site.phases), int(lamp))))
        assert slow.step(look_s + 10) is None
        after = slow.step(look_s + MOVE_EVERY_S)
    return now, after


def _period(wave: Wave) -> str:
    return wave.plans.day_plan(DAY).at(BEGIN_S).name


@pytest.mark.parametrize(("vph", "sign"), [(520.0, 1), (60.0, -1)])
def test_the_cycle_follows_the_traffic_by_a_step(
    scenario: Scenario, sites: tuple[Site, ...], wave: Wave, vph: float, sign: int
) -> None:
    before, after = moved(scenario, sites, wave, vph)

    assert after is not None
    change_s = (after.runs.cycle_ms - before.runs.cycle_ms) / 1000
    assert 0 < sign * change_s <= CYCLE_STEP_S
    assert {plan.cycle_ds for plan in after.plans} == {after.runs.cycle_ms // 100}
    assert after.runs.outbound_ms + after.runs.inbound_ms > 0


def test_who_leaves_while_his_lane_has_red_asks_for_no_green(
    scenario: Scenario, sites: tuple[Site, ...], wave: Wave
) -> None:
    (_, green), (_, yellow), (_, red) = (
        moved(scenario, sites, wave, 520.0, lamp) for lamp in (Lamp.GREEN, Lamp.YELLOW, Lamp.RED)
    )

    assert green is not None
    assert yellow is not None
    assert yellow.plans == green.plans
    assert red is None


def test_plans_move_only_where_a_step_spares_enough_to_pay_for_it(
    scenario: Scenario, sites: tuple[Site, ...], wave: Wave, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert moved(scenario, sites, wave, 0.0)[1] is None
    assert moved(scenario, sites, wave, 60.0)[1] is not None
    monkeypatch.setattr("lvbo.control.slow.LEAST_GAIN", 0.5)

    assert moved(scenario, sites, wave, 60.0)[1] is None


# room ------------------------------------------------------------------------------------------


def test_side_streets_wait_while_the_section_they_turn_into_is_full(
    scenario: Scenario, sites: tuple[Site, ...], wave: Wave
) -> None:
    metering = Metering(sites, (wave,))
    free = {s.id: np.zeros(len(s.movements), dtype=bool) for s in sites}
    assert not any(metering.held_back(s.id, free[s.id]).any() for s in sites)

    site = next(s for s in sites if s.id == wave.corridor.stops[2].outbound_controller)
    link = wave.corridor.outbound[1].links[-1]
    there = np.array([own == link for own in site.links])
    long = np.where(there, 0.9 * site.length_m / 7.5, 0.0)
    metering.look(look(site, 0, lanes(site, queue=long)))
    held = {
        s.movements[k]
        for s in sites
        for k in np.flatnonzero(metering.held_back(s.id, free[s.id])).tolist()
    }

    assert held
    assert {scenario.network.movement_index[m].to_link for m in held} == {link}
    assert wave.corridor.stops[1].outbound not in held
    metering.look(look(site, 1, lanes(site, queue=0.6 * long / 0.9)))
    assert metering.full == {link}
    metering.look(look(site, 2, lanes(site, queue=0.3 * long)))
    assert not metering.full
