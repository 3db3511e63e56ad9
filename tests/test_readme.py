# SPDX-License-Identifier: Apache-2.0
"""What the two README pages show is true: links, commands, names, and code that runs."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path

import pytest

import lvbo

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "README.zh-CN.md")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return [body for kind, body in BLOCK.findall(page(name)) if kind == language]


def without_comments(code: str) -> str:
    return ast.unparse(ast.parse(code))


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_file(name: str) -> None:
    targets = [link for link in LINK.findall(page(name)) if "://" not in link]
    missing = [target for target in targets if not (ROOT / target).exists()]

    assert missing == []


@pytest.mark.parametrize("name", PAGES)
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", page("Makefile"), flags=re.MULTILINE))
    shown = set(re.findall(r"^make (\w+)", "".join(blocks(name, "sh")), flags=re.MULTILINE))

    assert shown <= targets
    assert {"demo", "test"} <= shown


@pytest.mark.parametrize("name", PAGES)
def test_every_command_exists(name: str) -> None:
    listed = set(re.findall(r"^\| `lvbo ([\w ]+)`", page(name), flags=re.MULTILINE))
    groups = {command.split()[0] for command in listed if " " in command}
    offered = {group: offered_by(*([group] if group else [])) for group in ("", *groups)}
    missing = {
        command
        for command in listed
        for *group, last in [command.split()]
        if not re.search(rf"\b{last}\b", offered["".join(group)])
    }

    assert missing == set()
    assert groups == {"bench"}


def offered_by(*group: str) -> str:
    """Return what the help of the command line, or of a group of commands, lists."""
    return subprocess.run(
        [sys.executable, "-m", "lvbo.cli", *group, "--help"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1", "COLUMNS": "120"},
    ).stdout


def test_both_languages_show_the_same_code_and_commands() -> None:
    pairs = list(zip_longest(*(blocks(name, "python") for name in PAGES), fillvalue=""))
    commands = [
        re.findall(r"^\| `(lvbo [\w ]+)`", page(name), flags=re.MULTILINE) for name in PAGES
    ]

    assert [without_comments(en) for en, _ in pairs] == [without_comments(zh) for _, zh in pairs]
    assert commands[0] == commands[1]


@pytest.mark.parametrize("name", PAGES)
def test_every_name_of_the_code_is_public(name: str) -> None:
    used = {word for body in blocks(name, "python") for word in re.findall(r"\blv\.(\w+)", body)}

    assert used - set(vars(lvbo).get("__all__", ())) == set()
    assert used


ROADS = {"a": (300, "中都路"), "b": (700, "汇通路"), "c": (1050, "新建路")}
SIDES = {"N": 300, "S": -300}
TURNS = {"左转": 0.15, "直行": 0.75, "右转": 0.10}
APPROACHES = {"东进口": 500, "西进口": 700, "南进口": 240, "北进口": 240}
DAY_CURVE = {6: 0.4, 7: 1.0, 9: 0.7, 12: 0.8, 14: 0.7, 17: 0.95, 19: 0.5, 22: 0.2}


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Return a folder with a street of three signals and a day of its counts."""
    write_street(tmp_path)
    write_traffic(tmp_path)
    write_counts(tmp_path)
    return tmp_path


def write_street(folder: Path) -> None:
    ends = {"w": (0, 0), "e": (1350, 0)}
    joints = {road: (x, 0) for road, (x, _) in ROADS.items()}
    tips = {f"{road}{side}": (ROADS[road][0], y) for road in ROADS for side, y in SIDES.items()}
    nodes = "".join(
        f'<node id="{node}" x="{x}" y="{y}" type="{kind}"/>'
        for places, kind in ((ends | tips, "priority"), (joints, "traffic_light"))
        for node, (x, y) in places.items()
    )
    chain = list(zip("wabc", "abce", strict=True))
    pairs = [(one, two, "安宁街") for one, two in chain]
    pairs += [(f"{road}{side}", road, named) for road, (_, named) in ROADS.items() for side in "NS"]
    edges = "".join(
        f'<edge id="{start}{end}" from="{start}" to="{end}" name="{named}" numLanes="2"'
        ' speed="13.89"/>'
        for one, two, named in pairs
        for start, end in ((one, two), (two, one))
    )
    (folder / "street.nod.xml").write_text(f"<nodes>{nodes}</nodes>", encoding="utf-8")
    (folder / "street.edg.xml").write_text(f"<edges>{edges}</edges>", encoding="utf-8")
    program = Path(sys.executable).with_name("netconvert")
    files = ["-n", "street.nod.xml", "-e", "street.edg.xml", "-o", "city.net.xml"]
    times = ["--tls.default-type", "static", "--tls.yellow.time", "3", "--tls.allred.time", "3"]
    subprocess.run(
        [program, *files, "--output.street-names", *times],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def write_traffic(folder: Path) -> None:
    across = [(f"{road}N{road}", f"{road}{road}S", 180) for road in ROADS]
    turning = [(f"{road}S{road}", "ce" if road != "c" else "cb", 60) for road in ROADS]
    flows = [("wa", "ce", 600), ("ec", "aw", 400), *across, *turning]
    lines = "".join(
        f'<flow id="{start}-{end}" begin="25200" end="26100" from="{start}" to="{end}"'
        f' vehsPerHour="{vph}" departLane="best" departSpeed="max"/>'
        for start, end, vph in flows
    )
    (folder / "city.rou.xml").write_text(f"<routes>{lines}</routes>", encoding="utf-8")
    (folder / "city.sumocfg").write_text(
        '<configuration><net-file value="city.net.xml"/><route-files value="city.rou.xml"/>'
        '<begin value="25200"/><end value="26100"/></configuration>',
        encoding="utf-8",
    )


def write_counts(folder: Path) -> None:
    rows = ["日期,时间,路口,流向,流量"]
    for quarter in range(96):
        share = [DAY_CURVE[hour] for hour in DAY_CURVE if hour <= quarter // 4][-1:] or [0.1]
        clock = f"2025-12-09,{quarter // 4:02}:{quarter % 4 * 15:02}"
        rows += [
            f"{clock},{road},{approach}{turn},{round(share[0] * vph * part / 4) + quarter * 7 % 5}"
            for road in ROADS
            for approach, vph in APPROACHES.items()
            for turn, part in TURNS.items()
        ]
    (folder / "loops.csv").write_text("\n".join(rows), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(blocks(PAGES[0], "python"))))
def test_the_code_runs_as_it_stands(number: int, street: Path) -> None:
    script = street / "readme.py"
    script.write_text(blocks(PAGES[0], "python")[number], encoding="utf-8")
    run = subprocess.run(
        [sys.executable, script.name],
        cwd=street,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
