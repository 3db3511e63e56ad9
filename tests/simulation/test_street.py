# SPDX-License-Identifier: Apache-2.0
"""Controllers on a simulated street: the lamps shown, the things seen, the same again by seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lvbo.control.protocols import Observation, Wish
from lvbo.control.site import Site, read_site
from lvbo.errors import UsageError
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import write_xml
from lvbo.signal.lamp import GOING
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import DAY_S
from lvbo.simulation.controlled import run_controlled
from lvbo.simulation.loops import detectors
from lvbo.simulation.runs import Controlled, LampChange, Runs
from lvbo.simulation.sensing import STOP_LOOP_M, Eye, Sensing, parse_sensing
from lvbo.simulation.sumo import Ended, Setup
from lvbo.simulation.tools import repaired


class Planned:
    """Wish for the greens of a plan, and keep all that was seen."""

    def __init__(self, site: Site, plan: Plan) -> None:
        self.site, self.plan = site, plan
        self.seen: list[Observation] = []

    def decide(self, seen: Observation) -> Wish:
        self.seen.append(seen)
        local = (10 * seen.time_s - self.plan.offset_ds) % self.plan.cycle_ds
        greens = [self.plan.lamp(phase, local) in GOING for phase in self.site.rules.phases]
        return Wish(greens=np.array(greens))


Result = tuple[Ended, Controlled, dict[str, Planned]]
Drive = Callable[..., Result]


@pytest.fixture
def drive(tiny: Scenario, tmp_path: Path) -> Drive:
    """Return what runs the tiny street under its own plans, by our controllers."""

    def run(sensing: Sensing | None = None, *, seed: int = 0, end_s: int = 300) -> Result:
        plans = repaired(tiny.plans, tiny)
        running = plans.running(plans.day_plans[0].day_type, tiny.begin_s % DAY_S)
        sites = {c.id: read_site(tiny.network, c) for c in tiny.network.controllers}
        controllers = {name: Planned(sites[name], running[name]) for name in sites}
        loops = detectors(tiny.network, tuple(sites.values()), sensing or Sensing(), tiny.net_file)
        more: tuple[Path, ...] = ()
        if loops is not None:
            more = (tmp_path / "loops.add.xml",)
            write_xml(loops, more[0])
        setup = Setup(
            folder=tmp_path,
            net_file=tiny.net_file,
            route_files=tiny.route_files,
            additional_files=more,
            begin_s=0,
            end_s=end_s,
            step_s=1.0,
            seed=seed,
            teleport_s=-1.0,
        )
        ended, facts = run_controlled(setup, tiny.network, controllers, sensing=sensing)
        return ended, facts, {str(k): v for k, v in controllers.items()}

    return run


def by_second(changes: tuple[LampChange, ...], light: str, end_s: int) -> list[str]:
    own = {change.second: change.state for change in changes if change.controller == light}
    found = [own[0]]
    for second in range(1, end_s):
        found.append(own.get(second, found[-1]))
    return found


def test_lamps_of_a_plan_through_the_street_equal_the_programme_second_by_second(
    drive: Drive, safe_runs: Runs
) -> None:
    ended, facts, _ = drive()

    for light in ("A", "B"):
        ours = by_second(ended.lamps, light, 300)
        programme = by_second(safe_runs.runs[0].lamps, light, 300)
        assert ours[60:] == programme[60:]  # the first cycle starts in the middle of greens
    assert facts.released == 0


def test_the_same_seed_gives_the_same_lamps_and_sights(drive: Drive) -> None:
    first, _, seen = drive(parse_sensing("area:120+noise:2+missed:0.1"), seed=7)
    again, _, repeated = drive(parse_sensing("area:120+noise:2+missed:0.1"), seed=7)

    assert first.lamps == again.lamps
    for a, b in zip(seen["A"].seen, repeated["A"].seen, strict=True):
        assert a.vehicles is not None
        assert b.vehicles is not None
        assert a.vehicles.distance_m.tolist() == b.vehicles.distance_m.tolist()


def test_area_sensing_sees_no_further_than_its_range(drive: Drive) -> None:
    _, _, near = drive(Sensing(range_m=80.0))
    _, _, far = drive(Sensing(range_m=200.0))

    def furthest(planned: Planned) -> float:
        return max(
            float(s.vehicles.distance_m.max(initial=0.0))
            for s in planned.seen
            if s.vehicles is not None
        )

    assert 60 < furthest(near["A"]) <= 80
    assert 150 < furthest(far["A"]) <= 200


def test_a_vehicle_at_rest_before_red_is_near_the_stop_line_and_waits(drive: Drive) -> None:
    _, _, found = drive()
    waits = [
        (float(d), float(w))
        for s in found["A"].seen
        if s.vehicles is not None
        for d, w in zip(s.vehicles.distance_m, s.vehicles.wait_s, strict=True)
        if w > 10
    ]

    assert waits
    assert min(d for d, _ in waits) < 2.0


def test_who_stood_too_long_first_tells_where_a_lock_began(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, free, _ = drive()
    limit_s = 25.0
    monkeypatch.setattr("lvbo.simulation.street.LOCKED_S", limit_s)
    _, facts, found = drive()
    stood = [
        (s.time_s, planned.site.zones[int(zone)].name)
        for planned in found.values()
        for s in planned.seen
        if s.vehicles is not None
        for zone, wait_s in zip(s.vehicles.zone, s.vehicles.wait_s, strict=True)
        if wait_s > limit_s
    ]
    first_s = min(stood)[0]

    assert (free.locks, free.first_locked) == (0, None)
    assert facts.locks > 1
    assert facts.first_locked in {name for time_s, name in stood if time_s == first_s}
    assert len({name for _, name in stood}) > 1


def test_connected_vehicles_are_the_share_asked_for(drive: Drive) -> None:
    def keys(planned: Planned) -> set[int]:
        return {int(k) for s in planned.seen if s.vehicles is not None for k in s.vehicles.key}

    every = keys(drive(Sensing())[2]["A"])
    some = keys(drive(parse_sensing("connected:0.3"))[2]["A"])

    assert some < every
    assert 0.1 < len(some) / len(every) < 0.5


def test_loops_count_every_vehicle_that_leaves_the_stop_line_once(drive: Drive) -> None:
    _, _, found = drive(parse_sensing("stopline"), end_s=300)
    passed = sum(float(s.loops.passed.sum()) for s in found["A"].seen if s.loops is not None)

    assert all(s.vehicles is None for s in found["A"].seen)
    assert 60 < passed < 130  # 300 s of one vehicle in 6, 8 and 15 s make about 107


def test_an_advance_loop_lies_three_seconds_upstream(drive: Drive) -> None:
    _, _, found = drive(parse_sensing("loops"), end_s=5)
    loops = found["A"].seen[0].loops

    assert loops is not None
    assert sorted(set(loops.distance_m.round(1))) == [STOP_LOOP_M, 41.7]


def test_dead_lanes_show_nothing_and_say_so(drive: Drive) -> None:
    _, _, found = drive(parse_sensing("area+dead:1"))
    _, _, silent = drive(parse_sensing("loops+dead:1"))

    assert not any(s.working.any() for s in found["A"].seen)
    assert all(s.vehicles is not None and not len(s.vehicles.key) for s in found["A"].seen)
    assert all(s.loops is not None and not s.loops.passed.any() for s in silent["A"].seen)


def test_a_stuck_loop_is_always_covered_and_counts_nobody_and_seems_to_work(drive: Drive) -> None:
    _, _, found = drive(parse_sensing("loops+stuck:1"), end_s=100)

    for seen in found["A"].seen:
        assert seen.loops is not None
        assert (seen.loops.occupied == 1).all()
        assert not seen.loops.passed.any()
        assert seen.working.all()


def test_late_sensing_shows_what_was_there_some_seconds_ago(drive: Drive) -> None:
    _, _, now = drive(parse_sensing("area"), end_s=200)
    _, _, late = drive(parse_sensing("area+latency:3"), end_s=200)

    for k in range(50, 150):
        ahead, behind = now["A"].seen[k - 3].vehicles, late["A"].seen[k].vehicles
        assert ahead is not None
        assert behind is not None
        assert ahead.distance_m.tolist() == behind.distance_m.tolist()


def test_late_commands_shift_the_lamps_by_as_much(drive: Drive) -> None:
    prompt, _, _ = drive()
    late, _, _ = drive(Sensing(command_s=2))
    first, second = by_second(prompt.lamps, "A", 300), by_second(late.lamps, "A", 300)

    assert first[60:-2] == second[62:]


def test_words_of_sensing_are_read_and_others_refused() -> None:
    assert parse_sensing("area:80") == Sensing(range_m=80.0)
    assert parse_sensing("loops:80+noise:2") == Sensing(eye=Eye.LOOPS, advance_m=80.0, noise_m=2.0)
    assert replace(parse_sensing("connected:0.1"), connected=0.3) == parse_sensing("connected")


@pytest.mark.parametrize(
    "words",
    [
        "eyes",
        "loops:far",
        "loops:-5",
        "area:nan",
        "area:inf",
        "stopline:40",
        "none:3",
        "buses:0.5",
        "dead:2",
        "loops+latency:-1",
        "loops+latency",
    ],
)
def test_words_that_are_no_sensing_are_refused(words: str) -> None:
    with pytest.raises(UsageError, match="LV740"):
        parse_sensing(words)


def test_beside_loops_only_buses_report_themselves(drive: Drive) -> None:
    _, _, mixed = drive(parse_sensing("loops+buses"))
    _, _, bare = drive(parse_sensing("loops"))
    seen = [each for each in mixed["A"].seen if each.vehicles is not None]
    persons = np.concatenate([each.vehicles.persons for each in seen if each.vehicles is not None])

    assert len(seen) == 300
    assert all(each.sampled and each.loops is not None for each in seen)
    assert set(persons.tolist()) == {12.0}
    assert all(each.vehicles is None and not each.sampled for each in bare["A"].seen)
