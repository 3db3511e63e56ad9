# SPDX-License-Identifier: Apache-2.0
"""Invented values for figures: a street of five signals, its stages, flows and results."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np

from lvbo.report.values import (
    Arrow,
    BandStrip,
    BeforeAfter,
    FlowDay,
    Green,
    LampRow,
    LampRun,
    LosLink,
    LosMap,
    Pairing,
    PeriodCurve,
    PeriodSpan,
    Shown,
    SignalRow,
    StageCell,
    StageSheet,
    StripKind,
    Tick,
    TimeSpace,
    Trace,
    Wedge,
)
from lvbo.report.words import Heading
from lvbo.signal.lamp import Lamp
from lvbo.text import Language

NAMES = {
    Language.ZH: ("锦纶路", "中都路", "汇通路", "新建路", "迎宾路"),
    Language.EN: ("Jinlun Rd", "Zhongdu Rd", "Huitong Rd", "Xinjian Rd", "Yingbin Rd"),
}
PLACES_M = (0.0, 420.0, 1030.0, 1380.0, 2160.0)
CYCLE_S = 110.0
SPEED_MPS = 12.5
WIDTH_OUT_S, WIDTH_IN_S = 27.0, 22.0


def timespace(language: Language) -> TimeSpace:
    """Return a two-way wave in which every green holds both bands."""
    fronts_out = tuple(27000.0 + x / SPEED_MPS for x in PLACES_M)
    fronts_in = tuple(27048.0 + (PLACES_M[-1] - x) / SPEED_MPS for x in PLACES_M)
    rows = tuple(
        SignalRow(
            name=name,
            at_m=x,
            cycle_s=CYCLE_S,
            offset_s=round(out - 5) % CYCLE_S,
            outbound=(Green(start_s=(out - 5) % CYCLE_S, length_s=36, flash_s=3),),
            inbound=(Green(start_s=(back - 6) % CYCLE_S, length_s=34, flash_s=3),),
        )
        for name, x, out, back in zip(NAMES[language], PLACES_M, fronts_out, fronts_in, strict=True)
    )
    zh = language is Language.ZH
    return TimeSpace(
        title="安宁街 · 早高峰" if zh else "Anning Street · AM peak",
        subtitle=(
            "方案 3 · 工作日 07:00–08:30 · 示意数据"
            if zh
            else "plan 3 · workday 07:00–08:30 · invented data"
        ),
        outbound_heading=Heading.E,
        inbound_heading=Heading.W,
        begin_s=27000.0,
        end_s=27000.0 + 4 * CYCLE_S,
        signals=rows,
        bands=(
            _band(fronts_out, WIDTH_OUT_S, is_outbound=True),
            _band(fronts_in, WIDTH_IN_S, is_outbound=False),
        ),
        traces=tuple(_traces(fronts_out, fronts_in)),
    )


def _band(fronts: tuple[float, ...], width_s: float, *, is_outbound: bool) -> BandStrip:
    return BandStrip(
        is_outbound=is_outbound,
        width_s=width_s,
        cycle_s=CYCLE_S,
        fronts_s=fronts,
        speeds_mps=(SPEED_MPS, 12.2, 12.5, 11.9),
    )


def _traces(fronts_out: tuple[float, ...], fronts_in: tuple[float, ...]) -> list[Trace]:
    random = Random(7)
    found = []
    for k in range(-1, 5):
        for _ in range(5):
            late = random.uniform(0, WIDTH_IN_S) + k * CYCLE_S
            found.append(_trace(fronts_out, late, is_outbound=True))
            found.append(_trace(fronts_in, late, is_outbound=False))
    return found


def _trace(fronts: tuple[float, ...], late: float, *, is_outbound: bool) -> Trace:
    pairs = sorted((t + late, x) for t, x in zip(fronts, PLACES_M, strict=True))
    return Trace(
        is_outbound=is_outbound,
        times_s=tuple(t for t, _ in pairs),
        places_m=tuple(x for _, x in pairs),
    )


LONG = {
    Language.ZH: "迎宾西街与新建南路交叉口东侧辅路",
    Language.EN: "Intersection of the Second Ring Road East",
}


def all_layers(language: Language, signals: int) -> TimeSpace:
    """Return a street of many signals, some on half the cycle, with every layer there is."""
    random = Random(signals)
    places = [0.0]
    for _ in range(signals - 1):
        places.append(places[-1] + random.uniform(60, 900))
    out = [27000 + x / SPEED_MPS for x in places]
    back = [27048 + (places[-1] - x) / SPEED_MPS for x in places]
    rows = tuple(
        _full_row(language, k, x, (a, b))
        for k, (x, a, b) in enumerate(zip(places, out, back, strict=True))
    )
    speeds = (SPEED_MPS,) * (signals - 1)
    middle = signals // 2
    whole = BandStrip(
        is_outbound=True, width_s=WIDTH_OUT_S, cycle_s=CYCLE_S, fronts_s=tuple(out),
        speeds_mps=speeds, arrivals_s=tuple(t + 4 for t in out[1:]),
    )  # fmt: skip
    links = [
        BandStrip(
            is_outbound=False, width_s=8.0 + 3 * k % 17, cycle_s=CYCLE_S,
            fronts_s=tuple(back[k : k + 2]), speeds_mps=speeds[:1], first=k, kind=StripKind.LINK,
        )
        for k in range(signals - 1)
    ]  # fmt: skip
    part = replace(
        whole, fronts_s=tuple(out[: middle + 1]), speeds_mps=speeds[:middle], width_s=33.0,
        arrivals_s=tuple(out[1 : middle + 1]), kind=StripKind.PART,
    )  # fmt: skip
    return replace(
        timespace(language),
        signals=rows,
        bands=(whole, part, *links),
        traces=(_trace_along(places, out, is_outbound=True),),
        wedges=tuple(
            Wedge(
                is_outbound=True, signal=k, cycle_s=CYCLE_S, begin_s=t - 45, go_s=t - 3,
                end_s=t + 5, reach_m=30.0,
            )
            for k, t in enumerate(out)
        ),
        ticks=tuple(
            Tick(is_outbound=k % 2 == 0, at_s=27000 + 7.0 * k, at_m=places[k % signals])
            for k in range(60)
        ),
    )  # fmt: skip


def _full_row(language: Language, k: int, at_m: float, fronts: tuple[float, float]) -> SignalRow:
    cycle_s = CYCLE_S / 2 if k % 3 == 1 else CYCLE_S
    green_s = 25.0 if k % 3 == 1 else 36.0
    out, back = (
        (Green(start_s=(front - 5) % cycle_s, length_s=green_s, flash_s=3, least_s=10),)
        for front in fronts
    )
    left = (Green(start_s=(fronts[0] - 19) % cycle_s, length_s=11),)
    return SignalRow(
        name=LONG[language] if k % 4 == 0 else NAMES[language][k % 5],
        at_m=at_m,
        cycle_s=cycle_s,
        offset_s=round(fronts[0] - 5) % cycle_s,
        outbound=out,
        inbound=back,
        left_outbound=left,
        shown_inbound=()
        if k % 4
        else (
            Shown(begin_s=27010, end_s=27050, lamp=Lamp.GREEN),
            Shown(begin_s=27047, end_s=27050, lamp=Lamp.GREEN, is_flashing=True),
            Shown(begin_s=27050, end_s=27053, lamp=Lamp.YELLOW),
            Shown(begin_s=27200, end_s=27300, lamp=Lamp.DARK),
        ),
        phases="东西直行" if language is Language.ZH else "E+W through",
        moved_s=(4.0, -12.0, 0.0)[k % 3],
        slack_s=(3.0, 9.0),
    )


def _trace_along(places: list[float], fronts: list[float], *, is_outbound: bool) -> Trace:
    times = [*fronts, fronts[-1] + 30]
    return Trace(is_outbound=is_outbound, times_s=tuple(times), places_m=(*places, places[-1] + 1))


def stage_sheet(language: Language, *, left_hand: bool = False) -> StageSheet:
    """Return a four-stage plan of a crossing a little turned against north."""
    zh = language is Language.ZH
    e, n, w, s = 95.0, 5.0, 275.0, 185.0
    cells = (
        _cell("阶段 1" if zh else "Stage 1", ((e, w), (w, e), (e, n, 1), (w, s, 1)), (n, s), 37),
        _cell("阶段 2" if zh else "Stage 2", ((e, s), (w, n)), (), 17),
        _cell("阶段 3" if zh else "Stage 3", ((n, s), (s, n)), (e, w), 29),
        _cell("阶段 4" if zh else "Stage 4", ((n, e), (s, w), (n, n)), (), 15),
    )
    starts = [0.0]
    for cell in cells:
        starts.append(starts[-1] + cell.length_s)
    names = (
        ("东西直行", "东西左转", "南北直行", "南北左转")
        if zh
        else ("E-W T", "E-W L", "N-S T", "N-S L")
    )
    rows = [_lamps(name, at, cell) for name, at, cell in zip(names, starts, cells, strict=False)]
    walk = LampRow(
        name="南北人行" if zh else "N+S walk",
        runs=(
            LampRun(lamp=Lamp.GREEN, start_s=0.0, length_s=24.0),
            LampRun(lamp=Lamp.GREEN, start_s=24.0, length_s=14.0, is_flashing=True),
        ),
    )
    return StageSheet(
        title="安宁街–中都路" if zh else "Anning Street and Zhongdu Road",
        subtitle="方案 3，早高峰 07:00–08:30" if zh else "plan 3, AM peak 07:00–08:30",
        cycle_s=starts[-1],
        offset_s=34.0,
        legs_deg=(e, n, w, s),
        cells=cells,
        rows=(*rows, walk),
        borders_s=tuple(starts[1:-1]),
        left_hand=left_hand,
    )


def _cell(
    name: str,
    moves: tuple[tuple[float, ...], ...],
    zebras: tuple[float, ...],
    green_s: float,
) -> StageCell:
    return StageCell(
        name=name,
        arrows=tuple(Arrow(from_deg=m[0], to_deg=m[1], yields=len(m) > 2) for m in moves),
        zebras_deg=zebras,
        green_s=green_s,
        flash_s=3,
        yellow_s=3,
        all_red_s=2,
    )


def _lamps(name: str, at_s: float, cell: StageCell) -> LampRow:
    flash = at_s + cell.green_s
    return LampRow(
        name=name,
        runs=(
            LampRun(lamp=Lamp.GREEN, start_s=at_s, length_s=cell.green_s),
            LampRun(lamp=Lamp.GREEN, start_s=flash, length_s=cell.flash_s, is_flashing=True),
            LampRun(lamp=Lamp.YELLOW, start_s=flash + cell.flash_s, length_s=cell.yellow_s),
        ),
    )


def flow_day(language: Language) -> FlowDay:
    """Return twelve days of quarter-hour flows with two peaks, and nine periods."""
    zh = language is Language.ZH
    hours = np.arange(96) / 4
    shape = 150 + 1500 * np.exp(-(((hours - 7.8) / 1.1) ** 2))
    shape += 1400 * np.exp(-(((hours - 17.8) / 1.5) ** 2))
    shape += 900 * np.exp(-(((hours - 12.5) / 4.5) ** 2))
    noise = np.random.default_rng(3).normal(1.0, 0.07, size=(12, 96))
    night, peak, flat = ("夜间", "高峰", "平峰") if zh else ("night", "peak", "off-peak")
    noon = "午间" if zh else "midday"
    borders = (0, 6, 7, 8.5, 11.33, 13.83, 17, 19, 22.5, 24)
    names = (night, flat, peak, flat, noon, flat, peak, flat, night)
    cycles = (70, 90, 130, 110, 90, 110, 135, 100, 70)
    return FlowDay(
        title="安宁街合计流量与时段" if zh else "Anning Street, total flow and periods",
        subtitle="12 个工作日，示意数据" if zh else "12 workdays, invented data",
        starts_s=hours * 3600,
        flow_vph=shape * noise,
        periods=tuple(
            PeriodSpan(start_s=a * 3600, end_s=b * 3600, name=name, cycle_s=cycle)
            for a, b, name, cycle in zip(borders, borders[1:], names, cycles, strict=False)
        ),
    )


def before_after(language: Language) -> tuple[BeforeAfter, ...]:
    """Return two measures of which one side street loses."""
    zh = language is Language.ZH
    labels = (
        ("支路：新建路北进口", "由东向西", "由西向东")
        if zh
        else ("side street: Xinjian Rd, north leg", "westbound", "eastbound")
    )
    delays = tuple(
        _pairing(label, mean, share)
        for label, mean, share in zip(labels, (31.0, 62.0, 74.0), (0.06, -0.09, -0.15), strict=True)
    )
    stops = tuple(
        _pairing(label, mean, share)
        for label, mean, share in zip(labels[1:], (2.1, 2.6), (-0.2, -0.28), strict=True)
    )
    return (
        BeforeAfter(
            title="车均延误" if zh else "Delay per vehicle",
            unit="s/辆" if zh else "s/veh",
            pairings=delays,
        ),
        BeforeAfter(
            title="停车次数" if zh else "Stops per trip",
            unit="次/车" if zh else "stops/trip",
            pairings=stops,
        ),
    )


def _pairing(label: str, mean: float, share: float) -> Pairing:
    random = Random(label)
    before = tuple(mean * random.gauss(1, 0.05) for _ in range(5))
    after = tuple(value * (1 + random.gauss(share, 0.02)) for value in before)
    return Pairing(
        label=label, before=before, after=after, change=share, low=share - 0.026, high=share + 0.026
    )


def los_map(language: Language) -> LosMap:
    """Return two streets and three roads, each link both ways, with delays of every level."""
    zh = language is Language.ZH
    random = Random(5)
    xs, ys = (0.0, 420.0, 1030.0, 1380.0, 2160.0), (0.0, 480.0)
    ends = [((x, y), (x2, y)) for y in ys for x, x2 in zip((-300.0, *xs), xs, strict=False)]
    ends += [((x, -250.0), (x, 0.0)) for x in xs] + [((x, 0.0), (x, 480.0)) for x in xs]
    both = [*ends, *((b, a) for a, b in ends)]
    return LosMap(
        title="服务水平（控制延误）" if zh else "Level of service by control delay",
        stamp="早高峰 07:00–08:30，预期值（仿真）"
        if zh
        else "AM peak 07:00–08:30, expected (simulated)",
        links=tuple(
            LosLink(
                shape=(a, b),
                flow_vph=random.uniform(150, 1400),
                delay_s=None if min(b) < -100 else random.uniform(4, 95),
            )
            for a, b in both
        ),
        discs=tuple((x, y, NAMES[language][k] if y else "") for k, x in enumerate(xs) for y in ys),
    )


def period_curve(language: Language) -> PeriodCurve:
    """Return a curve whose best is at seven periods; five lie within one standard error."""
    zh = language is Language.ZH
    return PeriodCurve(
        title="时段数的选择" if zh else "How many periods",
        unit="留出日延误（辆·h/天）" if zh else "delay on held-out days, veh-h/day",
        counts=(1, 2, 3, 4, 5, 6, 7, 8, 9),
        costs=(520.0, 455, 421, 398, 388, 386, 384, 387, 391),
        errors=(9.0, 8, 7, 6, 6, 6, 6, 6, 7),
        chosen=5,
    )
