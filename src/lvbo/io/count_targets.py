# SPDX-License-Identifier: Apache-2.0
"""What a count belongs to: ids and direction words of a file, matched with the network."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lvbo.detection.detector import Detector, DetectorKind
from lvbo.detection.tables import Target
from lvbo.errors import Fields, Finding, Severity
from lvbo.ids import DetectorId, IntersectionId, LaneId, LinkId, MovementId
from lvbo.io.count_words import Column, direction, turns_of
from lvbo.network.network import Network
from lvbo.network.place import IntersectionKind, Leg, Movement, Turn

Key = tuple[Target, str]
COMPASS = tuple(Leg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Why a count has no target: a code and the fields of its sentence."""

    code: str
    fields: Fields


@dataclass(kw_only=True)
class Targets:
    """Find targets in a network; remembers guesses and the detectors that words stand for."""

    network: Network
    detectors: dict[DetectorId, Detector]
    guesses: dict[str, Finding] = field(default_factory=dict)
    made: dict[DetectorId, Detector] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> Mapping[str, IntersectionId]:
        """Return intersections by name and id, names without case and spaces."""
        named = {_bare(p.name): p.id for p in self.network.intersections if p.name}
        return {**named, **{_bare(p.id): p.id for p in self.network.intersections}}

    @cached_property
    def only_signal(self) -> IntersectionId | None:
        """Return the intersection with signals, where there is exactly one."""
        found = [p.id for p in self.network.intersections if p.kind is IntersectionKind.SIGNAL]
        return found[0] if len(found) == 1 else None

    def find(self, cells: Mapping[Column, str]) -> Key | Unknown:
        """Return the target that the cells of a row name."""
        if cells.get(Column.DETECTOR):
            return self._by_id(cells[Column.DETECTOR], Column.DETECTOR)
        if cells.get(Column.LANE):
            return self._lane(cells)
        if cells.get(Column.MOVEMENT):
            return self._movement(cells)
        if cells.get(Column.APPROACH):
            return self._words(cells, cells[Column.APPROACH], cells.get(Column.TURN, ""))
        if cells.get(Column.LINK):
            return self._by_id(cells[Column.LINK], Column.LINK)
        return Unknown(code="LV163", fields={"words": " ".join(filter(None, cells.values()))})

    def named(self, text: str) -> Key | None:
        """Return the target whose id is `text`, looked for among all kinds of ids."""
        net = self.network
        if text in self.detectors:
            return Target.DETECTOR, text
        if text in net.lane_index:
            return Target.LANE, text
        if text in net.movement_index:
            return Target.MOVEMENT, text
        if text in net.link_index:
            return Target.LINK, text
        return self._sumo(text)

    def _sumo(self, text: str) -> Key | None:
        bound = self.network.sumo
        if bound is None:
            return None
        lanes = bound.lane_index.get(text, ())
        if len(lanes) == 1:
            return Target.LANE, lanes[0]
        link = bound.edge_index.get(text)
        return (Target.LINK, link) if link is not None else None

    def _by_id(self, text: str, column: Column) -> Key | Unknown:
        key = self.named(text)
        if key is not None:
            return key
        near = difflib.get_close_matches(text, self._ids(column), n=3)
        fields = {"column": column.value, "value": text, "near": ", ".join(near) or "-"}
        return Unknown(code="LV154", fields=fields)

    def _ids(self, column: Column) -> Iterable[str]:
        net = self.network
        if column is Column.DETECTOR and self.detectors:
            return list(self.detectors)
        if column is Column.MOVEMENT:
            return list(net.movement_index)
        return list(net.link_index) if column is Column.LINK else list(net.lane_index)

    def _lane(self, cells: Mapping[Column, str]) -> Key | Unknown:
        """Return a lane by id, or by its number from the median on a named approach."""
        text = cells[Column.LANE]
        digits = "".join(c for c in text if c.isdigit())
        approach = cells.get(Column.APPROACH) or cells.get(Column.MOVEMENT, "")
        if self.named(text) is not None or not approach or not digits:
            return self._by_id(text, Column.LANE)
        link = self._words(cells, approach, "")
        if isinstance(link, Unknown):
            return link
        lanes = self.network.link_index[LinkId(link[1])].lanes if link[0] is Target.LINK else ()
        if not 1 <= int(digits) <= len(lanes):
            fields = {"column": Column.LANE.value, "value": text, "near": f"1-{len(lanes)}"}
            return Unknown(code="LV154", fields=fields)
        self._guess("LV175", place=link[1], lanes=len(lanes))
        from_median = sorted(lanes, key=lambda lane: -lane.index)
        return Target.LANE, from_median[int(digits) - 1].id

    def _movement(self, cells: Mapping[Column, str]) -> Key | Unknown:
        text = cells[Column.MOVEMENT]
        key = self.named(text)
        if key is not None:
            return key
        turn = cells.get(Column.TURN, "")
        if direction(text) is None:
            turns = turns_of(text)
            if turns and cells.get(Column.APPROACH):
                return self._words(cells, cells[Column.APPROACH], text)
            return self._by_id(text, Column.MOVEMENT)
        return self._words(cells, text, turn)

    def _words(self, cells: Mapping[Column, str], words: str, turn: str) -> Key | Unknown:
        place = self._intersection(cells.get(Column.INTERSECTION, ""))
        if isinstance(place, Unknown):
            return place
        meant = direction(words)
        extra = turns_of(turn)
        if meant is None or extra is None:
            return Unknown(code="LV163", fields={"words": f"{words} {turn}".strip()})
        leg, turns = meant
        return self._at(place, leg, turns or extra, f"{words}{turn}")

    def _intersection(self, text: str) -> IntersectionId | Unknown:
        if not text and self.only_signal is not None:
            self._guess("LV173", place=self.only_signal)
            return self.only_signal
        found = self.by_name.get(_bare(text))
        if found is not None:
            return found
        near = difflib.get_close_matches(_bare(text), list(self.by_name), n=3)
        return Unknown(code="LV162", fields={"value": text or "-", "near": ", ".join(near) or "-"})

    def _at(
        self, place: IntersectionId, leg: Leg, turns: tuple[Turn, ...], words: str
    ) -> Key | Unknown:
        here = [m for m in self.network.movements if m.intersection == place]
        on_leg = self._on_leg(here, leg, words)
        if not turns:
            links = sorted({m.from_link for m in on_leg})
            if len(links) == 1:
                return Target.LINK, links[0]
            if links:
                return self._group(place, words, on_leg)
        chosen = [m for m in on_leg if m.turn in turns]
        if not chosen or {m.turn for m in chosen} != set(turns):
            there = ", ".join(sorted({f"{m.leg} {m.turn}" for m in here})) or "-"
            said = " ".join(turns)
            fields = {"intersection": place, "leg": leg.value, "turn": said, "there": there}
            return Unknown(code="LV164", fields=fields)
        if len(chosen) == 1:
            return Target.MOVEMENT, chosen[0].id
        return self._group(place, words, chosen)

    def _on_leg(self, here: list[Movement], leg: Leg, words: str) -> list[Movement]:
        """Return the movements of a leg, or of the only neighbouring leg there is."""
        exact = [m for m in here if m.leg is leg]
        if exact:
            return exact
        k = COMPASS.index(leg)
        beside = {COMPASS[(k + 1) % 8], COMPASS[(k - 1) % 8]} & {m.leg for m in here}
        if len(beside) != 1:
            return []
        taken = beside.pop()
        self._guess("LV172", place=here[0].intersection, words=words, leg=taken.value)
        return [m for m in here if m.leg is taken]

    def _group(self, place: IntersectionId, words: str, chosen: list[Movement]) -> Key:
        """Return a target for movements counted as one: the lanes that serve just these, or all."""
        name = DetectorId(f"{place}:{words}")
        ids = tuple(sorted(m.id for m in chosen))
        if name not in self.made:
            lanes = self._lanes_of_exactly(ids)
            self.made[name] = Detector(
                id=name,
                kind=DetectorKind.STOP_LINE,
                lanes=lanes,
                movements=() if lanes else ids,
            )
            self._guess("LV174", place=place, words=words, movements=", ".join(ids))
        return Target.DETECTOR, name

    def _lanes_of_exactly(self, movements: tuple[MovementId, ...]) -> tuple[LaneId, ...]:
        serving = self.network.lane_movements
        turns = {self.network.movement_index[m].turn for m in movements}
        if len(turns) == 1:
            return ()
        own = set(movements)
        return tuple(
            sorted(lane for lane, listed in serving.items() if {m.id for m in listed} == own)
        )

    def _guess(self, code: str, place: str, **fields: object) -> None:
        key = f"{code}{place}{fields}"
        if key not in self.guesses:
            self.guesses[key] = Finding(
                code=code, place=place, severity=Severity.ADVICE, fields=fields
            )


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()
