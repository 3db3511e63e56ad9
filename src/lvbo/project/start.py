# SPDX-License-Identifier: Apache-2.0
"""A new project folder: the network, its plans as text, settings, room for data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from lvbo.io.scenario import Scenario
from lvbo.network.network import Network
from lvbo.project.plan_files import write_plans
from lvbo.signal.schedule import PlanSet

FOLDERS = ("network", "plans", "data/raw", "data/clean", "scenarios", "runs")


def start_project(
    folder: Path, source: Path, network: Network, plans: PlanSet, scenario: Scenario | None
) -> Path:
    """Write a project into an empty folder and return its settings file.

    The files of the network (of a scenario: all its files) are copied; nothing points outside.
    """
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    copied = _sources(source, scenario)
    for path in copied:
        shutil.copyfile(path, folder / "network" / path.name)
    if plans.plans:
        write_plans(plans, folder / "plans" / "installed.toml")
    (folder / "data" / "raw" / "README.md").write_text(_DATA, encoding="utf-8")
    (folder / ".gitignore").write_text("runs/\n.lvbo/\n", encoding="utf-8")
    settings = folder / "lvbo.toml"
    settings.write_text(_settings(copied[0].name, network), encoding="utf-8")
    return settings


def _sources(source: Path, scenario: Scenario | None) -> list[Path]:
    """Return the files to copy, the one to open first."""
    if scenario is None:
        return [source]
    config = source if source.is_file() else next(iter(sorted(source.glob("*.sumocfg"))))
    sheets = sorted(scenario.folder.glob("*.site.toml"))
    files = (config, scenario.net_file, *scenario.route_files, *scenario.additional_files, *sheets)
    return list(dict.fromkeys(path.resolve() for path in files))


def _settings(network_file: str, network: Network) -> str:
    streets = ", ".join(_text(corridor.name) for corridor in network.corridors)
    return (
        "# SPDX-License-Identifier: Apache-2.0\n"
        f"network = {_text(f'network/{network_file}')}\n"
        'installed = "plans/installed.toml"\n'
        f"zone = {_text(network.zone)}\n"
        f"driving_side = {_text('left' if network.left_hand else 'right')}\n"
        "# Streets that can be coordinated, longest first.\n"
        f"streets = [{streets}]\n"
    )


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


_DATA = """\
Put count files here (CSV or XLSX); they are never changed. `lvbo check network/... --counts FILE`
says what is doubtful in them.

计数文件（CSV 或 XLSX）放在这里，程序从不改动它们。
用 `lvbo check network/... --counts 文件` 检查数据疑点。
"""
