# SPDX-License-Identifier: Apache-2.0
"""The whole day of the pilot section: made from the seed, with the hours of the calendar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from tests.city.test_build import content

from lvbo.city import DAY, PROOFS, build_pilot_day
from lvbo.city.calendar import PEAKS, SLOT_S, Span, period_at, share_at
from lvbo.city.demand import SCHOOL_TIMES_S, flows_at, surge_factor
from lvbo.city.demo import DemoOrder, demo_city
from lvbo.city.routes import fit_routes
from lvbo.city.traffic import route_xml
from lvbo.errors import UsageError
from lvbo.io.sumo_scenario import read_scenario
from lvbo.signal.schedule import DAY_S


@pytest.fixture(scope="module")
def day() -> ET.Element:
    return route_xml(DAY, seed=1)


def departures(day: ET.Element, kind: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the departures of one type of road user, parents apart, s after midnight."""
    return np.array(
        [
            float(item.get("depart", "nan"))
            for item in day
            if item.get("type") == kind and not item.get("id", "").startswith("parent")
        ]
    )


def by_hour(times: np.ndarray[tuple[int], np.dtype[np.float64]]) -> dict[int, int]:
    return dict(Counter((times // 3600).astype(int).tolist()))


def test_every_hour_has_the_vehicles_that_the_demand_asks_for(day: ET.Element) -> None:
    flows = fit_routes()
    cars = by_hour(np.append(departures(day, "car"), departures(day, "truck")))
    for hour in range(6, 22):
        middles = [hour * 3600.0 + 300 * slot + 150 for slot in range(12)]
        wanted = sum(float(flows_at(t, flows) @ surge_factor(t, flows)) for t in middles)

        assert cars[hour] == pytest.approx(wanted / 12, abs=12)


def test_hours_follow_the_shares_of_the_calendar(day: ET.Element) -> None:
    cars = by_hour(departures(day, "car"))
    share = {h: float(np.mean([share_at(3600 * h + 60 * m) for m in range(60)])) for h in cars}
    per_share = {hour: cars[hour] / share[hour] for hour in range(6, 22)}
    usual = float(np.median(list(per_share.values())))

    assert all(value == pytest.approx(usual, rel=0.06) for value in per_share.values())
    assert cars[7] > 1.3 * cars[10] > 1.3 * cars[20]


def test_people_on_foot_and_e_bikes_follow_the_day(day: ET.Element) -> None:
    for kind in ("walker", "ebike"):
        hours = by_hour(departures(day, kind))
        expected = {h: min(share_at(3600 * h + 1800), 1.0) for h in range(6, 22)}
        ratio = [hours[h] / expected[h] for h in expected]

        assert max(ratio) < 1.35 * min(ratio)


def test_buses_run_more_often_in_the_peaks(day: ET.Element) -> None:
    times = departures(day, "bus")
    riders = {item.get("personNumber") for item in day if item.get("type") == "bus"}
    peak, calm = by_hour(times)[17], by_hour(times)[10]

    assert riders == {"35", "12"}
    assert calm == pytest.approx(0.67 * peak, rel=0.08)
    assert {period_at(s) for s in (7 * 3600, 17 * 3600)} == PEAKS


def test_parents_come_at_all_four_school_times(day: ET.Element) -> None:
    parents = [float(i.get("depart", "nan")) for i in day if i.get("id", "").startswith("parent")]
    inside = [sum(begin <= t < end for t in parents) for begin, end in SCHOOL_TIMES_S]

    assert all(number > 100 for number in inside)
    assert sum(inside) == len(parents)


def test_everyone_is_named_once_and_departs_in_order_inside_the_day(day: ET.Element) -> None:
    items = [item for item in day if item.tag != "vType"]
    times = [float(item.get("depart", "nan")) for item in items]

    assert len({item.get("id") for item in items}) == len(items)
    assert times == sorted(times)
    assert DAY.begin_s <= times[0]
    assert times[-1] < DAY.end_s


def test_the_day_runs_from_dawn_to_the_night_plan() -> None:
    assert (DAY.begin_s, DAY.end_s) == (6 * 3600, int(22.5 * 3600))
    assert DAY.judged_from_s - DAY.begin_s == DAY.end_s - DAY.judged_to_s == SLOT_S
    assert period_at(DAY.begin_s) == DAY.period
    assert DAY not in PROOFS


@pytest.mark.slow
def test_a_day_built_twice_is_equal_and_read_with_all_its_plans(tmp_path: Path) -> None:
    one = build_pilot_day(tmp_path / "one", seed=3)
    two = build_pilot_day(tmp_path / "two", seed=3)
    scenario = read_scenario(one)
    seconds = range(DAY.begin_s, DAY.end_s, 600)
    day_type = scenario.plans.day_plans[0].day_type
    cycles = {
        plan.cycle_ds // 10
        for second in seconds
        for plan in scenario.plans.running(day_type, second % DAY_S).values()
    }

    assert content(one) == content(two)
    assert (scenario.begin_s, scenario.end_s) == (DAY.begin_s, DAY.judged_to_s)
    assert scenario.warm_up_s == scenario.run_out_s == SLOT_S
    assert {90, 110, 120, 130, 135} <= cycles


# the demo -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_demo_builds_the_day_first_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []

    @contextmanager
    def steps(name: str) -> Iterator[object]:
        said.append(name)
        yield lambda _share: None

    order = DemoOrder(span=Span.DAY)
    home = demo_city(tmp_path / "city", order, steps)  # type: ignore[arg-type]

    assert said == ["city"]
    assert (home / order.config).is_file()
    assert home == tmp_path / "city"


def test_the_whole_city_has_no_day_and_spans_that_there_are_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="LV655") as refused:
        demo_city(tmp_path, DemoOrder(span=Span.DAY, full=True))
    assert refused.value.fields["known"] == "offpeak, am, pm"

    with pytest.raises(UsageError, match="LV655") as refused:
        demo_city(tmp_path, DemoOrder(span=Span.PM))
    assert refused.value.fields["known"] == "demo, offpeak, am, day"


def test_shipped_spans_need_no_building(tmp_path: Path) -> None:
    home = demo_city(tmp_path, DemoOrder(span=Span.AM))

    assert home.name == "pilot"
    assert list(tmp_path.iterdir()) == []
