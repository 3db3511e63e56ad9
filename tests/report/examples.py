# SPDX-License-Identifier: Apache-2.0
"""Invented values for figures: a street of five signals, its stages, flows and results."""

from __future__ import annotations

from random import Random

from lvbo.report.values import BandStrip, Green, SignalRow, TimeSpace, Trace
from lvbo.report.words import Heading
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
