# SPDX-License-Identifier: Apache-2.0
"""The words of a stage sheet in Chinese and English, and what movements are called in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lvbo.ids import PhaseId
from lvbo.network.network import Network
from lvbo.network.place import Leg, Turn
from lvbo.signal.rules import Service, SignalRules
from lvbo.text import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a sheet of one language calls its fields; reading knows both languages."""

    title: str
    schedule: str
    total: str
    controller: str
    name: str
    plan: str
    cycle: str
    day_type: str
    period: str
    offset: str
    reference: str
    start: str
    end: str
    stage: str
    phases: str
    movements: str
    green: str
    flash: str
    yellow: str
    all_red: str
    length: str
    way: str
    longer: str
    shorter: str
    dwell: str
    add: str
    subtract: str
    shortest: str
    font: str


WORDS: Mapping[Language, Words] = {
    Language.ZH: Words(
        title="信号配时表",
        schedule="时段表",
        total="合计",
        controller="信号机",
        name="名称",
        plan="方案",
        cycle="周期(秒)",
        day_type="日类型",
        period="时段",
        offset="相位差(秒)",
        reference="基准相位",
        start="开始",
        end="结束",
        stage="阶段",
        phases="放行相位",
        movements="流向",
        green="绿(秒)",
        flash="绿闪(秒)",
        yellow="黄(秒)",
        all_red="全红(秒)",
        length="时长(秒)",
        way="过渡方式",
        longer="周期最多加长(%)",
        shorter="周期最多缩短(%)",
        dwell="驻留",
        add="加长周期",
        subtract="缩短周期",
        shortest="取较快者",
        font="Microsoft YaHei",
    ),
    Language.EN: Words(
        title="Signal timing sheet",
        schedule="Schedule",
        total="Total",
        controller="Controller",
        name="Name",
        plan="Plan",
        cycle="Cycle (s)",
        day_type="Day type",
        period="Period",
        offset="Offset (s)",
        reference="Reference",
        start="Start",
        end="End",
        stage="Stage",
        phases="Phases",
        movements="Movements",
        green="Green (s)",
        flash="Flash (s)",
        yellow="Yellow (s)",
        all_red="All red (s)",
        length="Length (s)",
        way="Transition",
        longer="Cycle longer by at most (%)",
        shorter="Cycle shorter by at most (%)",
        dwell="dwell",
        add="add",
        subtract="subtract",
        shortest="shortest",
        font="Calibri",
    ),
}

LEGS_ZH: Mapping[Leg, str] = dict(
    zip(Leg, ("北", "东北", "东", "东南", "南", "西南", "西", "西北"), strict=True)
)
TURNS_ZH: Mapping[Turn, str] = {
    Turn.LEFT: "左转",
    Turn.THROUGH: "直行",
    Turn.RIGHT: "右转",
    Turn.UTURN: "掉头",
}
TURNS_EN: Mapping[Turn, str] = {
    Turn.LEFT: "left",
    Turn.THROUGH: "through",
    Turn.RIGHT: "right",
    Turn.UTURN: "U-turn",
}


def served(
    network: Network, rules: SignalRules, phases: Iterable[PhaseId], language: Language
) -> str:
    """Return what a stage serves, in the words of an engineer: 东进口左转, or E left."""
    shown = set(phases)
    words = [
        _service(network, service, language) for service in rules.services if service.phase in shown
    ]
    joint = "、" if language is Language.ZH else ", "
    return joint.join(dict.fromkeys(word for word in words if word))


def _service(network: Network, service: Service, language: Language) -> str:
    chinese = language is Language.ZH
    movement = network.movement_index.get(service.movement) if service.movement else None
    crossing = network.crossing_index.get(service.crossing) if service.crossing else None
    if movement is not None:
        if chinese:
            return f"{LEGS_ZH[movement.leg]}进口{TURNS_ZH[movement.turn]}"
        return f"{movement.leg} {TURNS_EN[movement.turn]}"
    if crossing is not None:
        return f"{LEGS_ZH[crossing.leg]}侧行人" if chinese else f"{crossing.leg} crossing"
    return ""
