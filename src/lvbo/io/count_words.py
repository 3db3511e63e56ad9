# SPDX-License-Identifier: Apache-2.0
"""The words of count files: column names and directions, in Chinese and English."""

from __future__ import annotations

import re
from enum import StrEnum

from lvbo.network.place import Leg, Turn


class Column(StrEnum):
    """What a column holds."""

    DATE = "date"
    TIME = "time"
    END = "end"
    INSTANT = "instant"
    INTERVAL = "interval"
    DETECTOR = "detector"
    LANE = "lane"
    MOVEMENT = "movement"
    LINK = "link"
    INTERSECTION = "intersection"
    APPROACH = "approach"
    TURN = "turn"
    VOLUME = "volume"
    RATE = "rate"
    CLASS = "class"
    OCCUPANCY = "occupancy"
    SPEED = "speed"
    OBSERVED = "observed"


SYNONYMS: dict[Column, str] = {
    Column.DATE: "date day 日期 统计日期 采集日期",
    Column.TIME: "time start starttime begin from t0 timeofday 时间 时刻 开始时间 起始时间 时段 "
    "统计时段 时间段",
    Column.END: "end endtime to until 结束时间 终止时间 截止时间",
    Column.INSTANT: "datetime timestamp t0utc tutc utc 日期时间 时间戳 统计时间 采集时间",
    Column.INTERVAL: "interval intervalmin intervals dts dt minutes 间隔 统计间隔 时间间隔 "
    "间隔分钟 间隔min 周期分钟",
    Column.DETECTOR: "detector detectorid det detid sensor loop device 检测器 检测器编号 检测器id "
    "线圈 线圈编号 设备 设备编号",
    Column.LANE: "lane laneid 车道 车道编号 车道号 车道id",
    Column.MOVEMENT: "movement movementid mvmt direction 流向 流向编号 流向id 方向 流向名称",
    Column.LINK: "link linkid edge segment 路段 路段编号 路段id",
    Column.INTERSECTION: "intersection intersectionid intersectionname node site junction int "
    "路口 路口编号 路口名称 路口id 交叉口 交叉口编号 交叉口名称",
    Column.APPROACH: "approach leg bound 进口 进口道 进口方向 来向",
    Column.TURN: "turn turning turnmovement 转向 转向类型 车道功能",
    Column.VOLUME: "volume count vehicles veh flow n traffic 流量 交通量 车流量 车辆数 过车数 数量 "
    "通过量",
    Column.RATE: "vph vehh flowvph volumevph flowrate 小时流量 流率 辆小时 流量辆小时",
    Column.CLASS: "class vehicleclass vehicletype type 车型 车辆类型 车种",
    Column.OCCUPANCY: "occupancy occ 占有率 时间占有率 占有率%",
    Column.SPEED: "speed speedkmh speedmps meanspeed avgspeed 速度 平均速度 车速 平均车速",
    Column.OBSERVED: "observed percentobserved observedshare 有效率 采集率 完整率 观测比例",
}

LEG_WORDS = {
    "东北": Leg.NE,
    "东南": Leg.SE,
    "西北": Leg.NW,
    "西南": Leg.SW,
    "东": Leg.E,
    "西": Leg.W,
    "南": Leg.S,
    "北": Leg.N,
}
BOUND = {
    "NB": Leg.S,
    "SB": Leg.N,
    "EB": Leg.W,
    "WB": Leg.E,
    "NEB": Leg.SW,
    "NWB": Leg.SE,
    "SEB": Leg.NW,
    "SWB": Leg.NE,
}
TURN_WORDS = {
    "掉头": Turn.UTURN,
    "调头": Turn.UTURN,
    "左转": Turn.LEFT,
    "直行": Turn.THROUGH,
    "右转": Turn.RIGHT,
    "左": Turn.LEFT,
    "直": Turn.THROUGH,
    "右": Turn.RIGHT,
}
ENGLISH_TURNS = {
    "u": Turn.UTURN,
    "uturn": Turn.UTURN,
    "l": Turn.LEFT,
    "lt": Turn.LEFT,
    "left": Turn.LEFT,
    "leftturn": Turn.LEFT,
    "t": Turn.THROUGH,
    "th": Turn.THROUGH,
    "thru": Turn.THROUGH,
    "through": Turn.THROUGH,
    "straight": Turn.THROUGH,
    "s": Turn.THROUGH,
    "r": Turn.RIGHT,
    "rt": Turn.RIGHT,
    "right": Turn.RIGHT,
    "rightturn": Turn.RIGHT,
}
ENGLISH_LEGS = {
    "northeast": Leg.NE,
    "northwest": Leg.NW,
    "southeast": Leg.SE,
    "southwest": Leg.SW,
    "north": Leg.N,
    "south": Leg.S,
    "east": Leg.E,
    "west": Leg.W,
}
ZH_DIRECTION = re.compile(
    r"^(?P<leg>东北|东南|西北|西南|东|西|南|北)(?:进口道?|向|方向|进|入口)?"
    r"(?P<turn>(?:掉头|调头|左转|直行|右转|左|直|右)*)(?:车道)?$"
)
EN_BOUND = re.compile(
    r"^(?P<bound>NEB|NWB|SEB|SWB|NB|SB|EB|WB|(?:north|south|east|west)(?:east|west)?bound)"
    r"[\s_-]*(?P<turn>[a-z -]*)$",
    re.IGNORECASE,
)
EN_LEG = re.compile(
    r"^(?P<leg>(?:north|south)(?:east|west)|north|south|east|west|NE|NW|SE|SW|N|S|E|W)"
    r"[\s_-]+(?:approach|leg)?[\s_-]*(?P<turn>[a-z -]*)$|^(?P<only>NE|NW|SE|SW|N|S|E|W)$",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """Return a column name without case, spaces, brackets and signs."""
    return re.sub(r"[\s_\-()（）\[\]/.·]+", "", text).casefold()


_COLUMNS = {plain(word): column for column, words in SYNONYMS.items() for word in words.split()}


def column_of(text: str) -> Column | None:
    """Return what a column of this name holds, if its name is known."""
    return _COLUMNS.get(plain(text))


def direction(text: str) -> tuple[Leg, tuple[Turn, ...]] | None:
    """Return leg and turns of direction words; no turns where the whole approach is meant.

    东进口左转 and WBL both name the leg that lies east. Several turns stand for a shared lane.
    """
    words = text.strip()
    chinese = ZH_DIRECTION.match(words.replace(" ", ""))
    if chinese:
        found = re.findall("|".join(TURN_WORDS), chinese["turn"])
        return LEG_WORDS[chinese["leg"]], tuple(TURN_WORDS[word] for word in found)
    bound = EN_BOUND.match(words)
    if bound:
        turns = turns_of(bound["turn"])
        return None if turns is None else (_leg_of_bound(bound["bound"]), turns)
    return _leg_direction(words)


def _leg_direction(words: str) -> tuple[Leg, tuple[Turn, ...]] | None:
    leg = EN_LEG.match(words)
    if not leg:
        return None
    turns = turns_of(leg["turn"] or "")
    name = (leg["leg"] or leg["only"]).casefold()
    return None if turns is None else (ENGLISH_LEGS.get(name) or Leg(name.upper()), turns)


def _leg_of_bound(word: str) -> Leg:
    short = word.casefold().removesuffix("bound")
    if short in ENGLISH_LEGS:
        short = ENGLISH_LEGS[short].value + "b"
    return BOUND[short.upper()]


def turns_of(text: str) -> tuple[Turn, ...] | None:
    """Return the turns that a word names (左转, L, left, 直右, TR); None where it names none."""
    chinese = re.fullmatch(f"(?:{'|'.join(TURN_WORDS)})+(?:车道)?", text.strip())
    if chinese:
        return tuple(TURN_WORDS[word] for word in re.findall("|".join(TURN_WORDS), text))
    short = plain(text).removesuffix("turn")
    if not short:
        return ()
    if short in ENGLISH_TURNS:
        return (ENGLISH_TURNS[short],)
    if all(letter in "ltru" for letter in short):
        return tuple(ENGLISH_TURNS[letter] for letter in short)
    return None
