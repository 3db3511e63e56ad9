# SPDX-License-Identifier: Apache-2.0
"""The site sheet of `yuci`: what a network file cannot say, as TOML with a documented schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lvbo.city.before import (
    LEFT_MIN_S,
    SHORT_STEADY_S,
    STEADY_S,
    THROUGH_MIN_S,
    YELLOW_S,
    stage_shapes,
)
from lvbo.city.calendar import SWITCHES, Proof
from lvbo.city.plainxml import first_lane, inbound_edge
from lvbo.city.streets import (
    FLASH_AT_NIGHT,
    RIGHT_ARROWS,
    STREETS,
    WAITING_AREAS,
    WALK_MPS,
    Kind,
    Side,
    Site,
    all_red_s,
    clearance_s,
)

SCHEMA = "lvbo-site 1"
COUNTDOWN_FULL = ("AN_JL", "AN_ZD", "AN_HT", "AN_XJ", "AN_YB", "YH_ZD", "YH_HT", "YH_XJ")
COUNTDOWN_LAST = ("YH_JL", "YH_YB", "WH_ZD", "WH_HT")
COUNTDOWN_LAST_S = 9
VARIABLE_LANE_SITE = "AN_ZD"
GREEN_FLASH_S = 3
CORRIDORS = ("AN", "YH")

_HEADER = f"""\
# SPDX-License-Identifier: Apache-2.0
# Site sheet of a network: what a SUMO file cannot say. Schema: {SCHEMA}.
#
# [[span]]            a simulated span: its configuration, seconds of warm-up inside it that are not
#                     judged, and seconds to run on after its end so that trips can finish
# [[switch]]          the weekday's plan changes, local time; `plan` is the SUMO programID
# [[street]]          limit and median platoon speed in km/h; coordinate = a corridor to coordinate
# [controller.ID]     ID as in the network; legs are compass legs (W = traffic coming from the west)
#   order             stage codes in their order; reference = where local second 0 lies
#   follows           the turn starts directly after the other turn of its leg (a waiting area)
#   countdown         none | full | last; countdown_last_s = seconds shown at the end
#   yellow_s, all_red_s, green_flash_s   the flash lies inside the green
#   min_green_s       by turn; walk.steady_s and walk.clearance_s by leg crossed: the walk may begin
#                     for steady_s (short_steady_s in cycles of 90 s or less), then it clears
#   half_cycle        runs two sequences per cycle of its group
#   one_approach      放行方式: one approach at a time (轮放)
#   right_arrow       right turns have their own arrow; elsewhere right lanes always go, yielding
#   night_flash       flashes amber in the plan `night`
#   linked            false where no link shows or sets the controller's clock
#   drift_s_pd        seconds a day by which its clock may run off; set_every_h: when it is set
#   variable_lane     a lane whose use changes with the plan; the network shows its default use
#
# yuci is a schematic: street names as in public texts, all figures chosen, not measured.
"""


def write_site(path: Path, area: Mapping[str, Site], proofs: Iterable[Proof]) -> None:
    """Write the site sheet of an area and its simulated spans."""
    lines = [_HEADER, f'schema = "{SCHEMA}"', 'city = "yuci"', 'zone = "Asia/Shanghai"']
    lines += [*_spans(proofs), *_switches(), *_streets()]
    for site in area.values():
        lines += ["", f"[controller.{site.code}]", *_controller(site)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _spans(proofs: Iterable[Proof]) -> Iterator[str]:
    for proof in proofs:
        yield ""
        yield "[[span]]"
        yield f'code = "{proof.code}"'
        yield f'sumocfg = "yuci.{proof.code}.sumocfg"'
        yield f'plan = "{proof.period}"'
        yield f"warm_up_s = {proof.judged_from_s - proof.begin_s}"
        yield f"run_out_s = {proof.end_s - proof.judged_to_s}"


def _switches() -> Iterator[str]:
    for second, plan in SWITCHES:
        yield ""
        yield "[[switch]]"
        yield f'at = "{second // 3600:02d}:{second % 3600 // 60:02d}"'
        yield f'plan = "{plan}"'


def _streets() -> Iterator[str]:
    for street in STREETS.values():
        yield ""
        yield "[[street]]"
        yield f'name = "{street.name}"'
        yield f"limit_kmh = {street.limit_kmh}"
        if street.median_kmh is not None:
            yield f"median_kmh = {street.median_kmh}"
        yield f"coordinate = {_truth(street.code in CORRIDORS)}"


def _controller(site: Site) -> Iterator[str]:
    yield f'name = "{site.name}"'
    yield f"order = [{_quoted(shape.code for shape in stage_shapes(site))}]"
    yield 'reference = { leg = "W", turn = "T" }'
    if site.code in WAITING_AREAS:
        rows = (f'{{ leg = "{leg}", turn = "L", after = "T" }}' for leg in ("W", "E"))
        yield f"follows = [{', '.join(rows)}]"
    yield f'countdown = "{_countdown(site)}"'
    if site.code in COUNTDOWN_LAST:
        yield f"countdown_last_s = {COUNTDOWN_LAST_S}"
    yield f"yellow_s = {YELLOW_S}"
    yield f"all_red_s = {all_red_s(site)}"
    yield f"green_flash_s = {GREEN_FLASH_S}"
    yield f"min_green_s = {{ T = {THROUGH_MIN_S}, L = {LEFT_MIN_S} }}"
    yield f"half_cycle = {_truth(site.kind in (Kind.BRANCH, Kind.MIDBLOCK))}"
    yield f"one_approach = {_truth(site.one_approach_at_a_time)}"
    yield f"right_arrow = {_truth(site.code in RIGHT_ARROWS)}"
    yield f"night_flash = {_truth(site.code in FLASH_AT_NIGHT)}"
    if site.code == VARIABLE_LANE_SITE:
        yield f"variable_lane = {_variable_lane(site)}"
    yield f"walk = {_walk(site)}"


def _walk(site: Site) -> str:
    times = ", ".join(
        f"{side.upper()} = {clearance_s(site, side)}"
        for side, leg in site.legs.items()
        if leg.zebra
    )
    return (
        f"{{ steady_s = {STEADY_S}, short_steady_s = {SHORT_STEADY_S}, speed_mps = {WALK_MPS}, "
        f"clearance_s = {{ {times} }} }}"
    )


def _variable_lane(site: Site) -> str:
    leg = site.legs[Side.SOUTH]
    place = first_lane(STREETS[leg.street]) + leg.stop_line.lanes - 1 - leg.stop_line.lefts
    return f'{{ lane = "{inbound_edge(site, leg)}_{place}", default = "T", am = "L" }}'


def _countdown(site: Site) -> str:
    if site.code in COUNTDOWN_FULL:
        return "full"
    return "last" if site.code in COUNTDOWN_LAST else "none"


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _truth(value: bool) -> str:  # noqa: FBT001 -- the value itself is what is written
    return "true" if value else "false"
