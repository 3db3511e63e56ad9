# SPDX-License-Identifier: Apache-2.0
"""The whole line on the bundled city: counts in, a proven two-way green wave and a report out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from lvbo.city.build import (
    build_pilot,
    build_pilot_day,
    build_yuci,
    pilot_folder,
    yuci_folder,
)
from lvbo.city.calendar import Span
from lvbo.city.faults import HOLIDAY, ICE, MAKE_UP_WORKDAY, SNOW
from lvbo.detection.counts import Counts
from lvbo.errors import UsageError
from lvbo.io.counts_csv import read_counts, weekday_type
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.progression.wave import WaveSettings
from lvbo.project.line import Designed, design
from lvbo.project.proof import Proof, Rehearsal
from lvbo.project.results import Occasion, Results, gather, write_results
from lvbo.project.steps import Steps, silent
from lvbo.text import Language

BUNDLED_SEED = 1
FIRST_SEED = 10
"""The demo is judged on seeds from here on: its settings were chosen on smaller ones."""
STREETS = ("安宁街", "蕴华街")
PLACE = "榆次 yuci"
PLANNED = ("workday",)
WHOLE_PLANNED = ("workday", "weekend")
"""The day types that get plans; snow and holidays are kept apart from them."""
SETTINGS = WaveSettings(speed_low=0.62, speed_high=0.85, clear_queues=False)
"""A band may run at 37 to 51 km/h where the limit is 60 and the median platoon drives 42."""


def day_type(day: date) -> str:
    """Return the day type of a date of the four weeks: snow and holidays stand apart."""
    if day in SNOW or day in ICE:
        return "snow"
    if day in HOLIDAY:
        return "holiday"
    return "workday" if day == MAKE_UP_WORKDAY else weekday_type(day)


def of_day_types(counts: Counts, kinds: Sequence[str]) -> Counts:
    """Return the counts of the days of these types."""
    return replace(counts, table=counts.table.filter(counts.table["day_type"].is_in(kinds)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOrder:
    """What the demo is asked: the seed of the city, how many judged seeds, workers, language.

    By default the pilot section of 安宁街 is planned and proved in 20 minutes off-peak; `full`
    takes the whole city, and an hour. The evening is there for the whole city only, the whole day
    for the pilot section only.
    """

    city_seed: int = BUNDLED_SEED
    seeds: int = 5
    workers: int = 2
    full: bool = False
    span: Span | None = None
    language: Language = Language.ZH

    @property
    def judged(self) -> range:
        """Return the seeds that the demo is judged on."""
        return range(FIRST_SEED, FIRST_SEED + self.seeds)

    @property
    def config(self) -> str:
        """Return the name of the SUMO configuration that is simulated."""
        return f"yuci.{self.span or (Span.OFFPEAK if self.full else Span.SHORT)}.sumocfg"


@dataclass(frozen=True, eq=False, kw_only=True)
class Demo:
    """What the demo made, and where its report lies."""

    scenario: Scenario
    designed: Designed
    proof: Proof
    results: Results
    report: Path


def demo_city(folder: Path, order: DemoOrder, steps: Steps = silent) -> Path:
    """Return the folder of the city that the demo runs in: the shipped one, or one built anew.

    Another seed than the bundled one and the whole day are built into `folder`.

    Raises:
        UsageError: LV655 for a span that there is no traffic of.
        ToolError: LV650 where another city cannot be built.

    """
    shipped = yuci_folder() if order.full else pilot_folder()
    day = order.span is Span.DAY and not order.full
    if not day and not (shipped / order.config).exists():
        known = [span for span in Span if (shipped / f"yuci.{span}.sumocfg").exists()]
        known += [] if order.full else [Span.DAY]
        raise UsageError("LV655", place=order.config, known=", ".join(known))
    if not day and order.city_seed == BUNDLED_SEED:
        return shipped
    build = build_pilot_day if day else build_yuci if order.full else build_pilot
    with steps("city"):
        return build(folder, seed=order.city_seed)


def run_demo(folder: Path, order: DemoOrder | None = None, *, steps: Steps = silent) -> Demo:
    """Write plans, figures, numbers and the report of the bundled city into a folder.

    Another seed than the bundled one, and the whole day, build the city anew inside the folder.

    Raises:
        UsageError: LV655 for a span that there is no traffic of.
        ToolError: LV600 where SUMO is missing, LV650 where another city cannot be built.

    """
    asked = order or DemoOrder()
    home = demo_city(folder / "city", asked, steps)
    with steps("scenario"):
        scenario = read_scenario(home / asked.config)
    known = {corridor.name for corridor in scenario.network.corridors}
    streets = tuple(name for name in STREETS if name in known)
    with Rehearsal(scenario, seeds=asked.judged, workers=asked.workers) as rehearsal:
        with steps("counts"):
            files = sorted(home.glob("yuci.counts.*.csv"))
            counts = read_counts(files, scenario.network, calendar=day_type)
        designed = design(
            scenario.network,
            of_day_types(counts, WHOLE_PLANNED if asked.full else PLANNED),
            scenario.plans,
            streets=streets,
            settings=SETTINGS,
            steps=steps,
        )
        proof = rehearsal.prove(designed.plans, steps=steps)
    with steps("measure"):
        occasion = Occasion(
            place=PLACE,
            dates=f"{counts.days[0]} – {counts.days[-1]}",
            notices=("cli_notice_city",),
        )
        results = gather(proof, designed, occasion, counts=counts, streets=streets)
    report = write_results(results, folder, first=asked.language, steps=steps)
    return Demo(scenario=scenario, designed=designed, proof=proof, results=results, report=report)
