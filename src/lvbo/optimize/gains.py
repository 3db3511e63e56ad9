# SPDX-License-Identifier: Apache-2.0
"""What changes at every stop-line link between the plans in force and new ones, and why.

Reasons come from counterfactuals: the delay if arrivals were uniform says what platoons save; HCM's
control delay at the old greens in the new cycle says what the cycle alone does; the plans without
waves say what a wave costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lvbo.errors import Finding, Severity
from lvbo.ids import ControllerId, LinkId, PhaseId
from lvbo.optimize.evaluate import AreaCost, AreaJudge, LinkCost, Plans
from lvbo.optimize.platoons import Key, link_views
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import DAY_S, Period, PlanSet

LARGE_VEHS_PH = 720.0
"""A change of 0.2 veh-h in an hour is told with its reason, if it is ..."""
LARGE_SHARE = 0.05
"""... at least 5 % of what was there."""
TELLING = 0.3
"""A cause is named where it explains at least 30 % of a change."""
MOST_REASONS = 2

BETTER = {"platoons": "LV570", "green": "LV572", "cycle": "LV574", "order": "LV576"}
WORSE = {"platoons": "LV571", "green": "LV573", "cycle": "LV575", "order": "LV577"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkGain:
    """One stop-line link before and after, per hour; reasons where the change is large."""

    controller: ControllerId
    link: LinkId
    vehicles: float
    before_vehs: float
    after_vehs: float
    before_stops: float
    after_stops: float
    reasons: tuple[Finding, ...] = ()

    @property
    def change_vehs(self) -> float:
        """Return after less before, veh-s per hour."""
        return self.after_vehs - self.before_vehs

    @property
    def is_large(self) -> bool:
        """Say whether the change is worth a reason."""
        least = max(LARGE_VEHS_PH, LARGE_SHARE * self.before_vehs)
        return abs(self.change_vehs) >= least


@dataclass(frozen=True, kw_only=True)
class PeriodGains:
    """All links of one period: losers first, then by how much they gain."""

    day_type: str
    period: str
    links: tuple[LinkGain, ...]

    @property
    def losers(self) -> tuple[LinkGain, ...]:
        """Return the links that lose, the largest loss first."""
        return tuple(link for link in self.links if link.change_vehs > 0)

    @property
    def gainers(self) -> tuple[LinkGain, ...]:
        """Return the links that gain, the largest gain first."""
        own = (link for link in self.links if link.change_vehs < 0)
        return tuple(sorted(own, key=lambda g: (g.change_vehs, g.link)))

    @property
    def delay_vehs_ph(self) -> tuple[float, float]:
        """Return the delay of all links before and after, veh-s per hour."""
        links = self.links
        return sum(g.before_vehs for g in links), sum(g.after_vehs for g in links)

    @property
    def stops_ph(self) -> tuple[float, float]:
        """Return the stops of all links before and after, per hour."""
        return sum(g.before_stops for g in self.links), sum(g.after_stops for g in self.links)


@dataclass(frozen=True, kw_only=True)
class Waved:
    """What the waves of a period are measured against: plans without them, and their streets."""

    plans: Plans
    streets: Mapping[ControllerId, str]


Spans = Sequence[tuple[float, Plans]]
"""Plans in force within a period, each with the share of the period in which it runs."""


def spans_in_force(plans: PlanSet, day_type: str, period: Period, otherwise: Plans) -> Spans:
    """Return the plans in force within a period; a signal without one runs the other plan.

    A day type that the plans do not know runs their first one.
    """
    kinds = [day.day_type for day in plans.day_plans]
    kind = day_type if day_type in kinds else kinds[0]
    seconds = sorted(
        {0, *((p.start_s - period.start_s) % DAY_S for p in plans.day_plan(kind).periods)}
    )
    cuts = [s for s in seconds if s < period.length_s]
    ends = [*cuts[1:], period.length_s]
    return [
        (
            (end - start) / period.length_s,
            {**otherwise, **plans.running(kind, (period.start_s + start) % DAY_S)},
        )
        for start, end in zip(cuts, ends, strict=True)
    ]


def mean_cost(judge: AreaJudge, spans: Spans) -> AreaCost:
    """Return what plans in force cost over a period, the mean of its spans."""
    costs = [
        (share, {(c.controller, c.link): c for c in judge.cost(at).links}) for share, at in spans
    ]
    links = [_mean_link(key, costs) for key in sorted(costs[0][1])]
    return AreaCost(links=tuple(links))


def _mean_link(key: Key, costs: Sequence[tuple[float, Mapping[Key, LinkCost]]]) -> LinkCost:
    return LinkCost(
        controller=key[0],
        link=key[1],
        delay_vehs=sum(share * own[key].delay_vehs for share, own in costs),
        stops=sum(share * own[key].stops for share, own in costs),
        vehicles=costs[0][1][key].vehicles,
        alone_vehs=sum(share * own[key].alone_vehs for share, own in costs),
    )


def period_gains(
    judge: AreaJudge,
    moment: tuple[str, str],
    before: Spans,
    after: Plans,
    waved: Waved | None = None,
) -> PeriodGains:
    """Return what every link gains or loses in a period, named by day type and period.

    Where plans in force change within the period, reasons compare with those that run longest.
    """
    at = {(c.controller, c.link): c for c in mean_cost(judge, before).links}
    now = {(c.controller, c.link): c for c in judge.cost(after).links}
    found = [_gain(at[key], now[key]) for key in sorted(at)]
    told = _Reasons(judge, max(before, key=lambda span: span[0])[1], after, waved)
    links = [told.explained(gain) if gain.is_large else gain for gain in found]
    links.sort(key=lambda gain: (-gain.change_vehs, gain.link))
    return PeriodGains(day_type=moment[0], period=moment[1], links=tuple(links))


def _gain(before: LinkCost, after: LinkCost) -> LinkGain:
    return LinkGain(
        controller=before.controller,
        link=before.link,
        vehicles=after.vehicles,
        before_vehs=before.delay_vehs,
        after_vehs=after.delay_vehs,
        before_stops=before.stops,
        after_stops=after.stops,
    )


class _Reasons:
    """Explain the change of links from one set of plans to another."""

    def __init__(self, judge: AreaJudge, before: Plans, after: Plans, waved: Waved | None) -> None:
        self.views = link_views(judge, before), link_views(judge, after)
        self.reordered = {c for c in judge.models if order_of(before[c]) != order_of(after[c])}
        self.waved = waved
        free = () if waved is None else judge.cost(waved.plans).links
        self.free = {(c.controller, c.link): c.delay_vehs for c in free}

    def explained(self, gain: LinkGain) -> LinkGain:
        """Return a gain with what explains most of it, the largest cause first."""
        key, change = (gain.controller, gain.link), gain.change_vehs
        sign = 1 if change > 0 else -1
        causes = self._causes(key)
        telling = [
            (name, parts)
            for name, parts in causes.items()
            if sign * sum(parts) >= TELLING * abs(change)
        ]
        telling.sort(key=lambda pair: -abs(sum(pair[1])))
        codes = WORSE if change > 0 else BETTER
        reasons = [
            self._reason(codes[name], key, [sign * part for part in parts])
            for name, parts in telling[:MOST_REASONS]
        ]
        return replace(gain, reasons=(*self._wave(gain), *reasons))

    def _causes(self, key: Key) -> dict[str, list[float]]:
        """Return the parts of a change in veh-s per hour by queue; they add up to it.

        Those who yield lose more by less green than the formula knows: where the order of stages
        is the same, that belongs to the green.
        """
        old, new = self.views[0][key], self.views[1][key]
        found: dict[str, list[float]] = {"platoons": [], "cycle": [], "green": [], "order": []}
        for was, now in zip(old.queues, new.queues, strict=True):
            alone = now.alone_vehs - was.alone_vehs
            at_first = was.uniform_vehs(was.green, old.cycle_s)
            cycle = was.uniform_vehs(was.green, new.cycle_s) - at_first
            green = was.uniform_vehs(now.green, new.cycle_s) - at_first - cycle
            rest = alone - cycle - green
            if key[0] not in self.reordered and (now.green - was.green) * rest < 0:
                green, rest = green + rest, 0.0
            found["platoons"].append(now.delay_vehs - was.delay_vehs - alone)
            found["cycle"].append(cycle)
            found["green"].append(green)
            found["order"].append(rest)
        return found

    def _reason(self, code: str, key: Key, parts: Sequence[float]) -> Finding:
        """Return a reason with the facts of the queue to which it matters most."""
        old, new = self.views[0][key], self.views[1][key]
        q = max(range(len(parts)), key=lambda k: parts[k])
        was, now = old.queues[q], new.queues[q]
        facts: dict[str, object] = {
            "before": round(100 * was.on_green),
            "after": round(100 * now.on_green),
            "wait_before_s": round(was.wait_s),
            "wait_after_s": round(now.wait_s),
        }
        if code in {BETTER["green"], WORSE["green"]}:
            facts = {"before": round(100 * was.green, 1), "after": round(100 * now.green, 1)}
        elif code not in {BETTER["platoons"], WORSE["platoons"]}:
            facts = {"before_s": round(old.cycle_s), "after_s": round(new.cycle_s)}
        return _told(code, key[1], sum(parts), **facts)

    def _wave(self, gain: LinkGain) -> list[Finding]:
        """Return that a wave is bought at the expense of a link, where plans without it are."""
        key = gain.controller, gain.link
        street = self.waved.streets.get(gain.controller) if self.waved else None
        paid = gain.after_vehs - self.free.get(key, gain.after_vehs)
        if street is None or gain.change_vehs <= 0 or paid < TELLING * gain.change_vehs:
            return []
        return [_told("LV578", key[1], paid, street=street)]


def order_of(plan: Plan) -> tuple[PhaseId, ...]:
    """Return the phases of a plan in the order in which they start, around from the first name."""
    first = [
        (min(w.start_ds for w in own.windows), own.phase)
        for own in plan.greens
        if own.windows and own.windows[0].length_ds < plan.cycle_ds
    ]
    phases = [phase for _, phase in sorted(first)]
    turn = phases.index(min(phases)) if phases else 0
    return tuple(phases[turn:] + phases[:turn])


def _told(code: str, link: LinkId, size_vehs: float, **fields: object) -> Finding:
    hours = round(abs(size_vehs) / 3600, 2)
    return Finding(
        code=code, place=link, severity=Severity.ADVICE, fields={"vehh": hours, **fields}
    )
