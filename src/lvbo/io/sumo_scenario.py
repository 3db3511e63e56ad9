# SPDX-License-Identifier: Apache-2.0
"""A `.sumocfg` (or the folder that holds one) to a `Scenario`."""

from __future__ import annotations

from pathlib import Path

from lvbo.errors import Finding, InputError
from lvbo.io.scenario import Scenario
from lvbo.io.site import Span, apply_site, find_site_sheet, read_site_sheet, street_speeds
from lvbo.io.sumo_net import read_network_and_plans
from lvbo.io.sumo_xml import elements, seconds_of

OWN = frozenset(
    {
        "net-file",
        "route-files",
        "additional-files",
        "begin",
        "end",
        "step-length",
        "time-to-teleport",
    }
)
SHORT = {
    "n": "net-file",
    "net": "net-file",
    "r": "route-files",
    "routes": "route-files",
    "a": "additional-files",
    "additional": "additional-files",
    "b": "begin",
    "e": "end",
}
"""Other names SUMO takes for the same options."""
GUI_ONLY = "gui_only"
DEFAULT_SPAN_S = 3600
"""How long a scenario is judged that names no end."""
DROPPED = (
    "output",
    "log",
    "gui",
    "no-step-log",
    "verbose",
    "seed",
    "random",
    "summary",
    "tripinfo",
)
"""Options of a configuration that a run of ours sets itself or does without."""


def read_scenario(path: Path | str) -> Scenario:
    """Return the scenario of a configuration file, or of a folder with exactly one.

    Raises:
        InputError: LV117 none or several configurations, LV118 no network named, LV101 missing
            files, LV119 times that make no span, and all that `read_network` raises.

    """
    file = _configuration(Path(path))
    options = _options(file)
    if "net-file" not in options:
        raise InputError("LV118", place=file.name)
    net = file.parent / options["net-file"]
    routes = _files(file, options.get("route-files", ""))
    additional = _files(file, options.get("additional-files", ""))
    missing = [p for p in (net, *routes, *additional) if not p.is_file()]
    if missing:
        raise InputError.of(Finding(code="LV101", place=str(p)) for p in missing)
    times = _times(file, options)
    network, plans = read_network_and_plans(net, additional)
    sheet_file = find_site_sheet(file.parent)
    span = Span(sumocfg=file.name)
    speeds: dict[str, float] = {}
    if sheet_file is not None:
        sheet = read_site_sheet(sheet_file)
        network, span = apply_site(network, sheet, plans, sheet_file.name), sheet.span(file.name)
        speeds = street_speeds(network, sheet)
    return Scenario(
        name=file.parent.name if file.stem in {"run", "sim", "config"} else file.stem,
        folder=file.parent,
        net_file=net,
        route_files=routes,
        additional_files=additional,
        begin_s=int(times["begin"]),
        end_s=int(times["end"]),
        network=network,
        plans=plans,
        step_s=times["step-length"],
        warm_up_s=span.warm_up_s,
        run_out_s=span.run_out_s,
        speeds_mps=tuple(sorted(speeds.items())),
        teleport_s=times["time-to-teleport"],
        options=tuple(sorted((k, v) for k, v in options.items() if _is_kept(k))),
    )


def _configuration(path: Path) -> Path:
    if not path.is_dir():
        if not path.is_file():
            raise InputError("LV101", place=str(path))
        return path
    found = sorted(path.glob("*.sumocfg"))
    if len(found) != 1:
        names = ", ".join(p.name for p in found) or "-"
        raise InputError("LV117", place=str(path), count=len(found), files=names)
    return found[0]


def _options(file: Path) -> dict[str, str]:
    """Return the options of a configuration; what only a window shows is left out."""
    found: dict[str, str] = {}
    _, *sections = elements(file)  # the root comes first
    for section in sections:
        for option in section.iter() if section.tag != GUI_ONLY else ():
            if "value" in option.attrib:
                found[SHORT.get(option.tag, option.tag)] = option.attrib["value"]
    return found


def _files(file: Path, text: str) -> tuple[Path, ...]:
    names = text.replace(",", " ").split()
    return tuple(file.parent / name for name in names)


def _times(file: Path, options: dict[str, str]) -> dict[str, float]:
    """Return begin, end, step and teleport time in seconds."""
    defaults = {"begin": "0", "end": "-1", "step-length": "1", "time-to-teleport": "-1"}
    try:
        times = {key: seconds_of(options.get(key, text)) for key, text in defaults.items()}
    except ValueError as error:
        raise InputError("LV105", place=file.name, reason=str(error)) from error
    if times["end"] < 0:
        times["end"] = times["begin"] + DEFAULT_SPAN_S
    if times["end"] <= times["begin"] or times["step-length"] <= 0:
        raise InputError(
            "LV119", place=file.name, begin_s=int(times["begin"]), end_s=int(times["end"])
        )
    return times


def _is_kept(option: str) -> bool:
    return option not in OWN and not any(word in option for word in DROPPED)
