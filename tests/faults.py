# SPDX-License-Identifier: Apache-2.0
"""Faults of a small street and its counts, and what each must be told."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

NET, COUNTS, PLANS, CONFIG = "tiny.net.xml", "counts.csv", "plans.toml", "tiny.sumocfg"

Fault = Callable[[Path], None]

# faults ---------------------------------------------------------------------------------------


def text(file: str, old: str, new: str, *, every: bool = False) -> Fault:
    """Return the fault of other text in a file; the old text must be there."""

    def work(folder: Path) -> None:
        content = (folder / file).read_text(encoding="utf-8")
        changed, count = re.subn(old, new, content, count=0 if every else 1)
        assert count, old
        (folder / file).write_text(changed, encoding="utf-8")

    return work


def raw(file: str, data: bytes) -> Fault:
    """Return the fault of other bytes in a file."""

    def work(folder: Path) -> None:
        (folder / file).write_bytes(data)

    return work


def added(file: str, line: str) -> Fault:
    """Return the fault of one more line at the end of a file."""

    def work(folder: Path) -> None:
        with (folder / file).open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")

    return work


def gone(file: str) -> Fault:
    """Return the fault of a missing file."""
    return lambda folder: (folder / file).unlink()


def cut(file: str) -> Fault:
    """Return the fault of a file that ends in its middle."""

    def work(folder: Path) -> None:
        data = (folder / file).read_bytes()
        (folder / file).write_bytes(data[: len(data) // 2])

    return work


def cut_archive(folder: Path) -> None:
    data = gzip.compress((folder / NET).read_bytes())
    (folder / NET).write_bytes(data[: len(data) // 2])


def again(file: str, pattern: str) -> Fault:
    """Return the fault of an element that stands twice."""

    def work(folder: Path) -> None:
        content = (folder / file).read_text(encoding="utf-8")
        found = re.search(pattern, content, re.DOTALL)
        assert found, pattern
        once = found.group(0)
        (folder / file).write_text(content.replace(once, once + once, 1), encoding="utf-8")

    return work


def beside(file: str, content: str, *, option: bool = False) -> Fault:
    """Return the fault of one more file, named as additional file where `option` says so."""

    def work(folder: Path) -> None:
        (folder / file).write_text(content, encoding="utf-8")
        if option:
            text(CONFIG, "</configuration>", _additional(file))(folder)

    return work


def _additional(file: str) -> str:
    return f'<additional-files value="{file}"/></configuration>'


def second_configuration(folder: Path) -> None:
    shutil.copy(folder / CONFIG, folder / "other.sumocfg")


def two_sheets(folder: Path) -> None:
    for name in "ab":
        (folder / f"{name}.site.toml").write_text('schema = "lvbo-site 1"\n', encoding="utf-8")


def no_streets(folder: Path) -> None:
    (folder / NET).write_text("<net version='1.20'></net>", encoding="utf-8")


def short_cycle(folder: Path) -> None:
    """Shrink the plans to cycles of 12 s, greens and all."""
    for old, new in (("cycle_s = 60", "cycle_s = 12"), ("start_s = 30", "start_s = 6")):
        text(PLANS, old, new, every=True)(folder)
    text(PLANS, r"length_s = \d+", "length_s = 2", every=True)(folder)


# cases ----------------------------------------------------------------------------------------

PLAN = ("plan", CONFIG, "-c", COUNTS)
WAVE = ("wave", CONFIG, "-s")
EXPORT = ("export", PLANS, "-n", CONFIG)
LOGIC = r'<tlLogic id="A".*?</tlLogic>'


@dataclass(frozen=True, kw_only=True)
class Case:
    """One fault, the call that meets it, and what it must say."""

    name: str
    fault: Fault
    code: str
    place: str
    status: int = 3
    call: tuple[str, ...] = PLAN


def cases() -> Iterable[Case]:
    """Return every case."""
    yield from network_cases()
    yield from programme_cases()
    yield from scenario_cases()
    yield from count_cases()
    yield from plan_cases()
    yield from corridor_cases()
    yield from diagram_cases()


def network_cases() -> Iterable[Case]:
    yield Case(name="net cut short", fault=cut(NET), code="LV102", place=f"{NET}:")
    yield Case(name="archive cut short", fault=cut_archive, code="LV102", place=NET)
    yield Case(name="net is no XML", fault=raw(NET, b"junction;x;y\n"), code="LV102", place=NET)
    yield Case(name="net is empty", fault=raw(NET, b""), code="LV102", place=NET)
    yield Case(name="net is a node file", fault=raw(NET, b"<nodes/>"), code="LV103", place=NET)
    yield Case(name="net has no street", fault=no_streets, code="LV116", place=NET)
    yield Case(
        name="attribute missing",
        fault=text(NET, r'(<lane id="AB_1" index="1".*?) length="[0-9.]+"', r"\1"),
        code="LV104",
        place=f'{NET}: <edge id="AB">',
    )
    yield Case(
        name="not a number",
        fault=text(NET, r'(<lane id="AB_1" index="1".*?) length="[0-9.]+"', r'\1 length="long"'),
        code="LV105",
        place=f'{NET}: <edge id="AB">',
    )
    yield Case(
        name="zero speed",
        fault=text(NET, r'(<lane id="AB_1".*?)speed="[0-9.]+"', r'\1speed="0"'),
        code="LV107",
        place=f"{NET}: AB_1",
    )
    yield Case(
        name="negative speed",
        fault=text(NET, r'(<lane id="AB_1".*?)speed="[0-9.]+"', r'\1speed="-5"'),
        code="LV107",
        place=f"{NET}: AB_1",
    )
    yield Case(
        name="zero length",
        fault=text(NET, r'(<lane id="AB_1".*?)length="[0-9.]+"', r'\1length="0"'),
        code="LV107",
        place=f"{NET}: AB_1",
    )
    yield Case(
        name="edge twice",
        fault=again(NET, r'<edge id="AB".*?</edge>'),
        code="LV106",
        place=f"{NET}: AB",
    )
    yield Case(
        name="connection to nowhere",
        fault=text(NET, r'from="WA" to="AB"', 'from="WA" to="XY"'),
        code="LV110",
        place=f"{NET}: WA > XY",
    )
    yield Case(
        name="edge to nowhere",
        fault=text(NET, r'id="AB" from="A" to="B"', 'id="AB" from="A" to="Q"'),
        code="LV111",
        place=f"{NET}: AB",
    )


def programme_cases() -> Iterable[Case]:
    yield Case(
        name="programme shorter than its links",
        fault=text(NET, r'state="[A-Za-z]{8}', 'state="'),
        code="LV112",
        place=f"{NET}: A/0",
    )
    yield Case(
        name="unknown lamp letter",
        fault=text(NET, r'state="[A-Za-z]', 'state="Q'),
        code="LV115",
        place=f"{NET}: A/0",
    )
    yield Case(
        name="light without programme",
        fault=lambda folder: _drop(folder / NET, LOGIC),
        code="LV113",
        place="A",
    )
    yield Case(
        name="programme without time",
        fault=text(NET, r'duration="\d+"', 'duration="0"', every=True),
        code="LV108",
        place=f"{NET}: A/0",
    )
    yield Case(
        name="switch to an unknown programme",
        fault=beside(
            "w.add.xml",
            '<additional><WAUT id="w" startProg="0"><wautSwitch time="60" to="x"/></WAUT>'
            '<wautJunction wautID="w" junctionID="A"/></additional>',
            option=True,
        ),
        code="LV216",
        place="w: A",
    )
    yield Case(
        name="unknown switching table",
        fault=beside(
            "w.add.xml",
            '<additional><wautJunction wautID="w" junctionID="A"/></additional>',
            option=True,
        ),
        code="LV109",
        place="w.add.xml",
    )


def _drop(path: Path, pattern: str) -> None:
    content = path.read_text(encoding="utf-8")
    path.write_text(re.sub(pattern, "", content, count=1, flags=re.DOTALL), encoding="utf-8")


def scenario_cases() -> Iterable[Case]:
    folder = ("plan", ".", "-c", COUNTS)
    yield Case(
        name="several configurations",
        fault=second_configuration,
        code="LV117",
        place=".",
        call=folder,
    )
    yield Case(name="no configuration", fault=gone(CONFIG), code="LV117", place=".", call=folder)
    yield Case(name="configuration missing", fault=gone(CONFIG), code="LV101", place=CONFIG)
    yield Case(name="network missing", fault=gone(NET), code="LV101", place=NET)
    yield Case(
        name="no network named",
        fault=text(CONFIG, "<net-file [^>]*>", ""),
        code="LV118",
        place=CONFIG,
    )
    yield Case(
        name="end before begin",
        fault=text(CONFIG, '<begin value="0"', '<begin value="7200"'),
        code="LV119",
        place=CONFIG,
    )
    yield Case(
        name="several site sheets",
        fault=two_sheets,
        code="LV124",
        place=".",
    )
    yield Case(
        name="site sheet is no TOML",
        fault=beside("x.site.toml", "schema = \n"),
        code="LV120",
        place="x.site.toml",
    )
    yield Case(
        name="site sheet with a strange value",
        fault=beside(
            "x.site.toml", 'schema = "lvbo-site 1"\n[controller.A]\ncountdown = "maybe"\n'
        ),
        code="LV121",
        place="x.site.toml",
    )
    yield Case(
        name="site sheet names a stranger",
        fault=beside("x.site.toml", 'schema = "lvbo-site 1"\n[controller.Z]\nname = "Z"\n'),
        code="LV122",
        place="x.site.toml",
    )


def count_cases() -> Iterable[Case]:
    stranger = "2025-12-08,07:00,AB>XY,30"
    yield Case(
        name="counts of a stranger", fault=added(COUNTS, stranger), code="LV154", place=COUNTS
    )
    yield Case(
        name="negative count", fault=text(COUNTS, r",20\n", ",-3\n"), code="LV155", place=COUNTS
    )
    yield Case(
        name="impossible count",
        fault=text(COUNTS, r",20\n", ",99999\n"),
        code="LV156",
        place=COUNTS,
    )
    yield Case(
        name="count is a word", fault=text(COUNTS, r",20\n", ",many\n"), code="LV157", place=COUNTS
    )
    yield Case(
        name="row twice",
        fault=again(COUNTS, r"2025-12-08,07:00,AB>BE,\d+\n"),
        code="LV158",
        place=COUNTS,
    )
    yield Case(
        name="strange time",
        fault=text(COUNTS, "2025-12-08,00:00", "2025-12-08,25:61"),
        code="LV159",
        place=COUNTS,
    )
    yield Case(
        name="wrong encoding",
        fault=raw(COUNTS, "date,time,movement,volume\n".encode("utf-16-le") + b"\xff\xfe\xfa"),
        code="LV151",
        place=COUNTS,
    )
    yield Case(
        name="missing column",
        fault=text(COUNTS, "movement,volume", "name,volume"),
        code="LV153",
        place=COUNTS,
    )
    yield Case(name="empty counts", fault=raw(COUNTS, b""), code="LV152", place=COUNTS)
    yield Case(name="counts missing", fault=gone(COUNTS), code="LV150", place=COUNTS)


def plan_cases() -> Iterable[Case]:
    periods = '{ start = "00:00", end = "24:00", name = "all" }'
    yield Case(
        name="overlapping periods",
        fault=text(
            PLANS,
            re.escape(periods),
            '{ start = "00:00", end = "13:00", name = "all" },'
            ' { start = "12:00", end = "24:00", name = "pm" }',
        ),
        code="LV310",
        place=f"{PLANS}:",
        call=EXPORT,
    )
    yield Case(
        name="minimum greens above the cycle",
        fault=short_cycle,
        code="LV343",
        place=PLANS,
        call=EXPORT,
    )
    yield Case(
        name="plan for a stranger",
        fault=text(PLANS, 'controller = "A"', 'controller = "Z"'),
        code="LV345",
        place=PLANS,
        call=EXPORT,
    )
    yield Case(name="plans cut short", fault=cut(PLANS), code="LV342", place=PLANS, call=EXPORT)


def corridor_cases() -> Iterable[Case]:
    yield Case(
        name="corridor of one signal",
        fault=lambda _: None,
        code="LV210",
        place="A St",
        call=(*WAVE, "A St"),
    )
    yield Case(
        name="unknown street",
        fault=lambda _: None,
        code="LV210",
        place="Nowhere",
        call=(*WAVE, "Nowhere"),
    )
    yield Case(
        name="disconnected corridor",
        fault=lambda folder: _disconnect(folder / NET),
        code="LV210",
        place="High St",
        call=(*WAVE, "High St"),
    )


def _disconnect(net: Path) -> None:
    """Take the street between the two signals out of the network."""
    content = net.read_text(encoding="utf-8")
    for edge in ("AB", "BA"):
        content = re.sub(rf'<connection [^>]*(from|to)="{edge}"[^>]*/>', "", content)
    net.write_text(content, encoding="utf-8")


DIAGRAM = ("diagram", CONFIG, "-s", "High St")
NO_SPEED = (
    '<fcd-export><timestep time="1"><vehicle id="a" lane="WA_0" pos="x"/></timestep></fcd-export>'
)
NOBODY = (
    '<fcd-export><timestep time="1"><vehicle id="a" lane="ANA_0" pos="1" speed="1"/></timestep>'
    "</fcd-export>"
)


def diagram_cases() -> Iterable[Case]:
    def one(name: str, file: str, content: str, code: str, option: str, place: str = "") -> Case:
        return Case(
            name=f"diagram: {name}",
            fault=beside(file, content),
            code=code,
            place=place or file,
            call=(*DIAGRAM, option, file),
        )

    yield one("FCD of numbers that are none", "fcd.xml", NO_SPEED, "LV130", "--fcd")
    yield one("FCD without vehicles", "fcd.xml", "<fcd-export/>", "LV131", "--fcd")
    yield one("FCD of another street", "fcd.xml", NOBODY, "LV144", "--fcd", "High St")
    yield one("FCD cut short", "fcd.xml", NO_SPEED[:50], "LV102", "--fcd")
    yield one("another file for GPX", "a.gpx", "<kml/>", "LV133", "--gpx")
    yield one("GPX without points", "a.gpx", "<gpx/>", "LV135", "--gpx")
    yield one("GPX on a network without projection", "a.gpx", TRACK, "LV132", "--gpx", NET)
    yield Case(
        name="diagram: nothing recorded",
        fault=lambda folder: (folder / "runs").mkdir(),
        code="LV137",
        place="runs",
        call=(*DIAGRAM, "--run", "runs"),
    )
    yield Case(
        name="diagram: recording of another kind",
        fault=raw("tracks.parquet", b"PAR0"),
        code="LV137",
        place="tracks.parquet",
        call=(*DIAGRAM, "--run", "."),
    )
    for option, value, code in (
        ("--at", "25:00", "LV143"),
        ("--period", "noon", "LV140"),
        ("--day-type", "feast", "LV714"),
        ("--events", "x.xml", "LV142"),
    ):
        yield Case(
            name=f"diagram: {option} {value}",
            fault=lambda _: None,
            code=code,
            place=option if code in {"LV714", "LV142"} else value,
            status=2,
            call=(*DIAGRAM, option, value),
        )


TRACK = (
    '<gpx><trk><trkseg><trkpt lat="37" lon="112"><time>2026-01-05T00:00:00Z</time></trkpt>'
    "</trkseg></trk></gpx>"
)
