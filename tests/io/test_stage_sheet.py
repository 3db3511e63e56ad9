# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook

from lvbo.errors import InputError, Severity, ToolError, UsageError
from lvbo.io.stage_sheet import write_stage_sheet
from lvbo.io.stage_sheet_reader import read_stage_sheet
from lvbo.signal.plan import Greens, Plan
from lvbo.signal.schedule import Calendar, PlanSet, one_period
from lvbo.signal.stages import as_stages
from lvbo.signal.transition import Switch, Transition, TransitionRule
from lvbo.testing import NS, TINY, tiny_network, tiny_plans, tiny_rules
from lvbo.text import Language


def staged(plan: Plan) -> Plan:
    return replace(plan, stages=as_stages(plan, tiny_rules()) or ())


def plans() -> PlanSet:
    return replace(tiny_plans().mapped(staged), calendar=Calendar())


def table(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))


def findings(path: Path) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        read_stage_sheet(path, tiny_network())
    return [(finding.code, finding.place) for finding in caught.value.findings()]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize("language", list(Language))
def test_plans_come_back_from_a_sheet(tmp_path: Path, language: Language, suffix: str) -> None:
    path = tmp_path / f"plans{suffix}"
    left_out = write_stage_sheet(plans(), tiny_network(), path, language)

    assert left_out == ()
    assert read_stage_sheet(path, tiny_network()) == plans()


def test_a_block_reads_as_an_engineer_would_write_it(tmp_path: Path) -> None:
    path = tmp_path / "plans.csv"
    write_stage_sheet(plans(), tiny_network(), path, Language.ZH)
    rows = table(path)
    head = next(i for i, row in enumerate(rows) if row[:1] == ["信号机"])

    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert rows[1] == ["日类型", "时段", "开始", "结束"]
    assert rows[2] == ["workday", "day", "06:00", "22:00"]
    assert rows[head][:6] == ["信号机", "tiny", "名称", "Tiny", "方案", "P1"]
    assert rows[head + 2][0] == "阶段"
    assert rows[head + 3] == ["S1", "NS + WALK", "", "15", "8", "0", "0", "23"]
    assert rows[head + 4] == ["S2", "NS", "", "4", "3", "3", "2", "12"]
    assert rows[head + 8] == ["合计", "", "", "66", "14", "12", "8", "100"]


def test_the_times_of_a_block_add_up_to_the_cycle(tmp_path: Path) -> None:
    path = tmp_path / "plans.csv"
    write_stage_sheet(plans(), tiny_network(), path, Language.EN)
    totals = [row for row in table(path) if row[:1] == ["Total"]]

    assert [float(row[7]) for row in totals] == [100, 59.5]
    assert all(sum(map(float, row[3:7])) == float(row[7]) for row in totals)


def test_a_phase_that_breaks_between_stages_comes_back(tmp_path: Path) -> None:
    (first, _) = plans().plans
    (window,) = first.windows_of(NS)
    broken = replace(window, start_ds=0, length_ds=950)
    greens = tuple(
        replace(g, windows=(broken,)) if g.phase == NS else g for g in first.greens if g.phase == NS
    )
    plan = staged(replace(first, greens=greens, stages=()))
    path = tmp_path / "plans.csv"
    write_stage_sheet(one_period([plan]), tiny_network(), path, Language.EN)

    assert [row[:7] for row in table(path) if row[:1] == ["S2"]] == [
        ["S2", "", "", "0", "0", "3", "2"]
    ]
    assert read_stage_sheet(path, tiny_network()).plans == (plan,)


def test_the_workbook_is_made_to_be_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "plans.xlsx"
    write_stage_sheet(plans(), tiny_network(), path, Language.ZH)
    book = load_workbook(path)
    sheet = book["tiny"]

    assert book.sheetnames == ["时段表", "tiny"]
    assert sheet.freeze_panes == "B2"
    assert [str(span) for span in sheet.merged_cells.ranges] == ["A1:H1"]
    assert sheet["A1"].font.name == "Microsoft YaHei"
    assert sheet["A1"].font.b
    assert sheet.column_dimensions["B"].width == 24
    assert sheet.page_setup.orientation == "landscape"


def test_a_plan_that_stages_cannot_express_is_left_out_and_told(tmp_path: Path) -> None:
    def cut(plan: Plan) -> Plan:
        greens = tuple(
            Greens(phase=g.phase, windows=tuple(replace(w, yellow_ds=20) for w in g.windows))
            for g in plan.greens
        )
        return replace(plan, greens=greens, stages=())

    path = tmp_path / "plans.csv"
    (first, *_) = write_stage_sheet(plans().mapped(cut), tiny_network(), path, Language.EN)

    assert (first.code, first.place, first.severity) == ("LV357", "tiny", Severity.WARNING)
    assert findings(path) == [("LV350", "plans.csv")]


def test_a_sheet_in_gb18030_reads_too(tmp_path: Path) -> None:
    path = tmp_path / "plans.csv"
    write_stage_sheet(plans(), tiny_network(), path, Language.ZH)
    path.write_text(path.read_text(encoding="utf-8-sig"), encoding="gb18030", newline="")

    assert read_stage_sheet(path, tiny_network()) == plans()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("Controller,tiny", "Controller,other", "LV345"),
        ("Offset (s),60", "Offset (s),", "LV356"),
        ("Offset (s),60", "Offset (s),x", "LV305"),
        ("Offset (s),60", "Offset (s),100", "LV303"),
        ("Reference,NS", "Reference,XX", "LV334"),
        ("Cycle (s),100", "Cycle (s),90", "LV353"),
        ("NS + WALK", "NS + WALT", "LV352"),
        ("Yellow (s)", "Amber", "LV356"),
        ("S3,NSL,,15", "S3,NSL,,fifteen", "LV305"),
        ("workday,day,06:00", "workday,day,07:00", "LV310"),
        ("workday,day,06:00", "workday,day,morning", "LV305"),
        ("Period,day", "Period,noon", "LV347"),
    ],
)
def test_a_fault_is_told_with_its_row(tmp_path: Path, old: str, new: str, code: str) -> None:
    path = tmp_path / "plans.csv"
    write_stage_sheet(plans(), tiny_network(), path, Language.EN)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = findings(path)

    assert old in text
    assert found[0][0] == code


def test_one_plan_with_two_timings_is_told(tmp_path: Path) -> None:
    path = tmp_path / "plans.csv"
    write_stage_sheet(plans(), tiny_network(), path, Language.EN)
    text = path.read_text(encoding="utf-8").replace("Plan,P2", "Plan,P1")
    path.write_text(text, encoding="utf-8")

    assert [code for code, _ in findings(path)] == ["LV354"]


def test_files_that_are_no_sheets_are_told(tmp_path: Path) -> None:
    book = tmp_path / "a.xlsx"
    book.write_bytes(b"no workbook")
    text = tmp_path / "a.csv"
    text.write_bytes(b"\xff\xff\xff")

    assert findings(book)[0] == ("LV351", "a.xlsx")
    assert findings(text) == [("LV351", "a.csv")]
    assert findings(tmp_path / "none.csv")[0][0] == "LV341"


def test_other_kinds_of_files_and_lost_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as kind:
        write_stage_sheet(plans(), tiny_network(), tmp_path / "a.pdf", Language.EN)
    with pytest.raises(ToolError) as lost:
        write_stage_sheet(plans(), tiny_network(), tmp_path / "no" / "a.csv", Language.EN)

    assert (kind.value.code, lost.value.code) == ("LV358", "LV340")
    assert list(tmp_path.iterdir()) == []


def ruled() -> PlanSet:
    switch = Switch(day_type="workday", before="night", after="day")
    return plans().with_transitions(
        [TransitionRule(way=Transition.ADD, longer=0.0834, controller=TINY, switch=switch)]
    )


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize("language", list(Language))
def test_the_way_into_step_comes_back_from_a_sheet(
    tmp_path: Path, language: Language, suffix: str
) -> None:
    path = tmp_path / f"plans{suffix}"
    write_stage_sheet(ruled(), tiny_network(), path, language)

    assert read_stage_sheet(path, tiny_network()) == ruled()


def test_the_way_into_step_stands_in_the_block_of_the_period(tmp_path: Path) -> None:
    path = tmp_path / "plans.csv"
    write_stage_sheet(ruled(), tiny_network(), path, Language.ZH)
    rows = [row for row in table(path) if row[:1] == ["过渡方式"]]

    assert rows == [["过渡方式", "加长周期", "周期最多加长(%)", "8.34", "周期最多缩短(%)", "15"]]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("Transition,add", "Transition,jump", "LV305"),
        ("(%),8.34", "(%),much", "LV305"),
        ("(%),8.34", "(%),0", "LV312"),
        ("(%),15", "(%),95", "LV312"),
    ],
)
def test_a_faulty_way_into_step_is_told(tmp_path: Path, old: str, new: str, code: str) -> None:
    path = tmp_path / "plans.csv"
    write_stage_sheet(ruled(), tiny_network(), path, Language.EN)
    text = path.read_text(encoding="utf-8-sig")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")

    assert [found for found, _ in findings(path)] == [code]
