# SPDX-License-Identifier: Apache-2.0
"""The gate: the one pure function between what a controller wishes and what the street is told.

Hard rules refuse, with a reason: foes, intergreens, minimum greens, running clearance, ends that
were announced, the site's stage order, waiting areas. Maximum red is a service guarantee: before a
wish is granted, all who have called are served in play, in the order in which they called, from the
state that the wish leads to; where somebody would wait too long, the gate goes that way instead. A
call that comes later is last, so that what was promised can be kept. Where no stage may be skipped
and none comes twice, the tour through all stages is played in its place, as if everybody called. A
maximum red that is shorter than one such round can not be promised; there the round is the promise.
Where the lamps seen are old or cannot be, it sends nothing and leaves the site to local control.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvbo.control import _gate_kernels as kernels
from lvbo.control import _look_kernels as look
from lvbo.control.protocols import Observation, Order, Refusal, Verdict, Wish
from lvbo.control.site import Site
from lvbo.control.stages import StageTable
from lvbo.ids import PhaseId
from lvbo.signal.lamp import Countdown
from lvbo.signal.rules import SignalRules

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

STALE_S = 5
"""Lamps seen longer ago than this are not believed."""
REMEMBERED = 10
"""How many commanded rows are kept, to know them again on a street that shows them late."""
COUNTDOWN_S = 5
"""How many seconds a display counts down that shows the last seconds only."""
CODES = {
    look.STRANGE: "LV723",
    look.ORDER: "LV724",
    look.MINIMUM: "LV725",
    look.FROZEN: "LV726",
    look.CLEARANCE: "LV728",
    look.WAITING: "LV729",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Gate:
    """What the gate knows of a site; `rules` is what its kernels read.

    With `stages` None any greens may be wished that are safe, as plans need it that overlap. A
    site whose countdown shows whole greens runs only plans, so stages are refused there.
    """

    phases: tuple[PhaseId, ...]
    stages: StageTable | None
    rules: look.Rules
    runs_plans_only: bool

    @property
    def red_s(self) -> Ints:
        """Return the longest red after a call that is promised to each phase, (phases,)."""
        return self.rules.red_s

    @property
    def home(self) -> Ints:
        """Return the stage in which the promise serves each phase, -1 for none, (phases,)."""
        return self.rules.home

    @property
    def notice_s(self) -> Ints:
        """Return how long before its end a green must be left out of the wish, (phases,)."""
        return self.rules.notice_s

    @property
    def hops_s(self) -> Ints:
        """Return how long a change takes by the promise, (stages, stages), s.

        From when the first stage may be left until the second may, with all who walk in the first.
        """
        none = np.zeros((0, 0), dtype=np.int64)
        return none if self.stages is None else _hop_costs(self.rules, self.stages)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Memory:
    """What the gate must know from one second to the next; its arrays are never changed.

    `state` (rows, phases) and `scalars` are those of the kernels; None before the first look and
    after a release. `shown` are the rows commanded last, newest first.
    """

    state: Ints | None = None
    scalars: Ints | None = None
    shown: Ints | None = None


def make_gate(
    site: Site,
    table: StageTable | None = None,
    order: Order | None = None,
    *,
    last_s: int | None = None,
) -> Gate:
    """Return the gate of a site for these stages; `order` is that of the table unless given.

    `last_s` is how many seconds a countdown of the last seconds shows.
    """
    asked = order if order is not None else (table.order if table is not None else Order.ANY)
    shown = site.rules.countdown in (Countdown.FULL, Countdown.LEARNING)
    return Gate(
        phases=site.phases,
        stages=table,
        rules=_rules(site.rules, table, asked, COUNTDOWN_S if last_s is None else last_s),
        runs_plans_only=shown,
    )


def admit(
    gate: Gate, memory: Memory, seen: Observation, wish: Wish, called: Bools | None = None
) -> tuple[Verdict, Memory]:
    """Return what may be shown from now on, and what to remember; total and pure.

    `called` (phases,) are the vehicle phases that somebody waits for; people on foot call by
    `seen.calls`. A stage that is called is not passed over, and a called phase is served within
    its maximum red. Where `called` is None every phase of a stage counts as called; without
    stages none does, and the plan that runs must serve them.
    """
    code = _unbelievable(gate, memory, seen)
    if code:
        return _released(code, gate.phases), Memory()
    if gate.runs_plans_only and gate.stages is not None:
        return _released("LV727", gate.phases), Memory()
    if wish.release:
        return Verdict(lamps=None), Memory()
    state, scalars, shown = _remembered(gate, memory, seen)
    asked = _readable(gate, wish, state)
    code_of = np.zeros(len(gate.phases), dtype=np.int64)
    wait_s = np.zeros(len(gate.phases), dtype=np.int64)
    forced = kernels.decide(
        gate.rules, state, scalars, seen.time_s,
        asked.greens, asked.stage, _yellow(gate, asked), _preparing(gate, asked),
        _called(gate, seen, called), code_of, wait_s,
    )  # fmt: skip
    refusals = _refusals(gate, code_of, wait_s)
    if asked is not wish:
        refusals = (Refusal(code="LV723", phases=gate.phases), *refusals)
    lamps = state[look.LAMP].copy()
    shown[1:] = shown[:-1].copy()
    shown[0] = lamps
    verdict = Verdict(
        lamps=lamps,
        refusals=refusals,
        forced=gate.phases[forced] if forced >= 0 else None,
    )
    return verdict, Memory(state=state, scalars=scalars, shown=shown)


def handed_over(gate: Gate, memory: Memory) -> Memory:
    """Return what another gate of the same site remembers, for this one to go on with.

    Lamps, ends, clearances, calls and since when they wait stay; the stage is the one commanded.
    """
    if memory.state is None or memory.scalars is None:
        return memory
    scalars = memory.scalars.copy()
    counts = gate.rules.goes & ~gate.rules.walk
    going = memory.state[look.LAMP] == gate.rules.shows
    same = ((gate.rules.greens == going) | ~counts).all(axis=1)
    scalars[look.STAGE] = int(np.argmax(same)) if same.any() else -1
    scalars[look.BEGAN] = scalars[look.ROUND] = scalars[look.TIME]
    return Memory(state=memory.state, scalars=scalars, shown=memory.shown)


def warm_gate(site: Site) -> None:
    """Compile the kernels of the gate by one second of this site."""
    gate = make_gate(site)
    dark = np.zeros(len(gate.phases), dtype=np.int64)
    state, scalars, _ = start(gate, -1, dark, dark)
    row = np.zeros((1, len(gate.phases)), dtype=bool)
    usual = np.full(row.shape, -1, dtype=np.int64)
    lamps = np.empty(row.shape, dtype=np.int64)
    named = np.full(1, -1, dtype=np.int64)
    kernels.run(gate.rules, state, scalars, row, named, usual, row, row, lamps)
    look.is_commanded(gate.rules, lamps, dark)
    look.is_possible(gate.rules, dark)


def _released(code: str, phases: tuple[PhaseId, ...]) -> Verdict:
    return Verdict(lamps=None, refusals=(Refusal(code=code, phases=phases),))


def _unbelievable(gate: Gate, memory: Memory, seen: Observation) -> str:
    """Return why the lamps seen cannot be built on, or nothing."""
    width = (len(gate.phases),)
    age = seen.time_s - seen.seen_s
    if not 0 <= age <= STALE_S:
        return "LV720"
    if memory.scalars is not None and seen.time_s <= memory.scalars[look.TIME]:
        return "LV720"
    for array in (seen.lamps, seen.since_s):
        if np.shape(array) != width or np.asarray(array).dtype.kind not in "iu":
            return "LV721"
    if not look.is_possible(gate.rules, seen.lamps.astype(np.int64)):
        return "LV721"
    if memory.shown is not None and not _is_gap(memory, seen):
        return (
            ""
            if look.is_commanded(gate.rules, memory.shown, seen.lamps.astype(np.int64))
            else "LV722"
        )
    return ""


def _is_gap(memory: Memory, seen: Observation) -> bool:
    """Say whether the gate was not asked for so long that it must look anew."""
    return memory.scalars is None or seen.time_s - int(memory.scalars[look.TIME]) > STALE_S


def _remembered(gate: Gate, memory: Memory, seen: Observation) -> tuple[Ints, Ints, Ints]:
    """Return copies of the memory, or what is made of the lamps where there is none."""
    state, scalars, shown = memory.state, memory.scalars, memory.shown
    if (
        state is not None
        and scalars is not None
        and shown is not None
        and not _is_gap(memory, seen)
    ):
        return state.copy(), scalars.copy(), shown.copy()
    return start(gate, seen.time_s - 1, seen.lamps, seen.since_s)


def start(gate: Gate, time_s: int, lamps: Ints, since_s: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the state, scalars and commanded rows of a site taken over after this second."""
    count = len(gate.phases)
    state = np.zeros((look.ROWS, count), dtype=np.int64)
    scalars = np.zeros(look.FOLLOWS + len(gate.rules.follow), dtype=np.int64)
    row = np.asarray(lamps, dtype=np.int64)
    look.adopt(gate.rules, state, scalars, time_s + 1, row, np.asarray(since_s, dtype=np.int64))
    scalars[look.TIME] = time_s
    shown = np.full((REMEMBERED, count), -1, dtype=np.int64)
    shown[0] = row
    return state, scalars, shown


def _readable(gate: Gate, wish: Wish, state: Ints) -> Wish:
    """Return the wish, or that all stays as it is where it cannot be read."""
    width = (len(gate.phases),)
    greens = np.asarray(wish.greens)
    more = [x for x in (wish.yellow_s, wish.preparing) if x is not None]
    fits = all(np.shape(x) == width and np.asarray(x).dtype.kind in "biu" for x in more)
    if greens.shape == width and greens.dtype.kind == "b" and fits:
        return wish
    return Wish(greens=state[look.LAMP] == gate.rules.shows)


def _yellow(gate: Gate, wish: Wish) -> Ints:
    if wish.yellow_s is None:
        return np.full(len(gate.phases), -1, dtype=np.int64)
    return np.minimum(np.asarray(wish.yellow_s, dtype=np.int64), 60)


def _preparing(gate: Gate, wish: Wish) -> Bools:
    if wish.preparing is None:
        return np.zeros(len(gate.phases), dtype=bool)
    return np.asarray(wish.preparing, dtype=bool)


def _called(gate: Gate, seen: Observation, called: Bools | None) -> Bools:
    if called is None:
        return np.asarray(gate.rules.greens[gate.rules.cycle].any(axis=0) & ~gate.rules.fixed)
    return np.asarray((np.asarray(called, dtype=bool) & ~gate.rules.walk) | seen.calls)


def _refusals(gate: Gate, codes: Ints, waits: Ints) -> tuple[Refusal, ...]:
    """Return what was refused, one entry per code."""
    found = []
    for number, code in CODES.items():
        at = np.flatnonzero(codes == number)
        if len(at):
            wait = int(waits[at].max())
            names = tuple(gate.phases[k] for k in at)
            found.append(Refusal(code=code, phases=names, wait_s=wait if wait >= 0 else None))
    return tuple(found)


def _rules(rules: SignalRules, table: StageTable | None, order: Order, last_s: int) -> look.Rules:
    ids = [phase.id for phase in rules.phases]
    least = np.array([_up(rules.limit_index[p].min_green_ds) for p in ids], dtype=np.int64)
    head = _heads(rules, ids)
    counts_down = rules.countdown is not Countdown.NONE
    notice = [
        max(_up(p.flash_ds), last_s if counts_down and p.is_going else 0) for p in rules.phases
    ]
    cleared = look.Rules(
        shows=np.array([int(p.shows) for p in rules.phases], dtype=np.int64),
        goes=np.array([p.is_going for p in rules.phases], dtype=bool),
        walk=np.array([p.kind == "pedestrian" for p in rules.phases], dtype=bool),
        fixed=np.isin(np.array(ids, dtype=object), np.array(rules.permanent, dtype=object)),
        foe=_foes(rules, ids),
        head=head,
        share=_shares(rules, ids),
        least_s=least,
        most_least_s=np.where(head, least[:, None], 0).max(axis=0, initial=0),
        yellow_s=np.array([_up(p.yellow_ds) for p in rules.phases], dtype=np.int64),
        amber_s=np.array([_up(p.red_amber_ds) for p in rules.phases], dtype=np.int64),
        notice_s=np.array(notice, dtype=np.int64),
        red_s=np.array([rules.limit_index[p].max_red_ds // 10 for p in ids], dtype=np.int64),
        follow=_follow(rules, ids),
        greens=np.zeros((0, len(ids)), dtype=bool),
        legal=np.zeros((0, 0), dtype=bool),
        place=np.zeros(0, dtype=np.int64),
        after=np.zeros(0, dtype=np.int64),
        home=np.full(len(ids), -1, dtype=np.int64),
        path=np.zeros((0, 0), dtype=np.int64),
        by_call=False,
        cycle=np.zeros(0, dtype=np.int64),
        skips=False,
        tour_s=0,
    )
    if table is None:  # a plan may leave dark what others never change
        return cleared._replace(fixed=np.zeros(len(ids), dtype=bool))
    return _with_stages(cleared, table, order)


def _with_stages(rules: look.Rules, table: StageTable, order: Order) -> look.Rules:
    place = np.full(table.count, -1, dtype=np.int64)
    for k, stage in enumerate(table.cycle):
        place[stage] = k
    after = np.array([_next(table, place, q) for q in range(table.count)], dtype=np.int64)
    least = np.where(table.greens & ~rules.fixed, rules.most_least_s, 0).max(axis=1)
    cost = _hop_costs(rules, table)
    path, path_s = _paths(table.legal, cost)
    home = _homes(table, rules)
    turn = list(table.cycle)
    ring = bool(table.legal[turn, np.roll(turn, -1)].all())
    by_call = (order is not Order.FIXED or not ring) and int(path_s.max(initial=0)) < look.FAR_S
    tour_s = sum(int(cost[q, after[q]]) for q in turn)
    round_s = int(path_s[:, sorted({int(g) for g in home if g >= 0})].max(axis=0).sum())
    worst = int(cost.max(initial=0)) + (round_s if by_call else tour_s)
    own = np.where(home >= 0, rules.most_least_s - rules.notice_s, 0)
    return rules._replace(
        greens=table.greens,
        legal=table.legal,
        place=place,
        after=after,
        home=home,
        path=path,
        by_call=by_call,
        red_s=np.maximum(rules.red_s, np.minimum(worst - own, look.FAR_S)),
        cycle=np.array(turn, dtype=np.int64),
        skips=order is Order.SKIP,
        tour_s=min(worst + int(least.max(initial=0)), look.FAR_S),
    )


def _hop_costs(rules: look.Rules, table: StageTable) -> Ints:
    """Return the time from when a stage may be left until the next may be, both minima kept, s.

    Shape (stages, stages); as the promise is played, people walking in every stage.
    """
    count = table.count
    cost = np.zeros((count, count), dtype=np.int64)
    for p in range(count):
        for q in range(count):
            ends = table.greens[p] & ~table.greens[q] & rules.goes & ~rules.fixed
            starts = table.greens[q] & ~table.greens[p] & rules.goes
            last = int(rules.notice_s[ends].max(initial=0)) + 1
            for j in np.flatnonzero(starts):
                foes = ends & (rules.foe[:, j] != look.NO_FOE)
                need = np.maximum(rules.foe[foes, j], rules.amber_s[j])
                need = np.where(rules.foe[foes, j] == look.UNKNOWN, look.FAR_S, need)
                start = int((rules.notice_s[foes] + need).max(initial=rules.amber_s[j]))
                mates = ends & rules.head[j]
                clear = rules.notice_s[mates] + rules.yellow_s[mates] + rules.amber_s[j]
                start = max(start, int(clear.max(initial=0)))
                last = max(last, start + max(1, int(rules.most_least_s[j] - rules.notice_s[j])))
            cost[p, q] = 0 if p == q else min(last, look.FAR_S)
    return cost


def _paths(legal: Bools, cost: Ints) -> tuple[Ints, Ints]:
    """Return the next stage on the quickest legal way between all stages, and what it takes, s."""
    count = len(legal)
    time = np.where(legal, cost, look.FAR_S)
    np.fill_diagonal(time, 0)
    path = np.tile(np.arange(count, dtype=np.int64), (count, 1))
    for k in range(count):
        via = time[:, k, None] + time[None, k, :]
        better = via < time
        path = np.where(better, path[:, k, None], path)
        time = np.where(better, via, time)
    return path, np.minimum(time, look.FAR_S)


def _homes(table: StageTable, rules: look.Rules) -> Ints:
    """Return the stage in which the promise serves each phase, of as few stages as may be; or -1.

    A phase that shares its head is served with the head. A stage that may not stay serves nobody.
    """
    lights = (table.greens & rules.goes & ~rules.fixed) @ rules.head.T
    lights &= table.legal.diagonal()[:, None]
    home = np.full(len(rules.goes), -1, dtype=np.int64)
    left = lights.any(axis=0)
    while left.any():
        best = int(np.argmax((lights & left).sum(axis=1)))
        home[lights[best] & left] = best
        left &= ~lights[best]
    return home


def _next(table: StageTable, place: Ints, stage: int) -> int:
    """Return the next stage of the tour: the next of the order that may follow."""
    count = len(table.cycle)
    begin = int(place[stage]) + 1
    ahead = [table.cycle[(begin + k) % count] for k in range(count)]
    return next((q for q in ahead if table.legal[stage, q]), stage)


def _up(tenths: int) -> int:
    return math.ceil(tenths / 10)


def _foes(rules: SignalRules, ids: Sequence[PhaseId]) -> Ints:
    at = {phase: k for k, phase in enumerate(ids)}
    foe = np.full((len(ids), len(ids)), look.NO_FOE, dtype=np.int64)
    for a, b, value in rules.foes:
        foe[at[a], at[b]] = look.UNKNOWN if value is None else _up(value)
    return foe


def _heads(rules: SignalRules, ids: Sequence[PhaseId]) -> Bools:
    at = {phase: k for k, phase in enumerate(ids)}
    head = np.eye(len(ids), dtype=bool)
    for phase, mates in rules.mates.items():
        head[at[phase], [at[mate] for mate in mates]] = True
    return head


def _shares(rules: SignalRules, ids: Sequence[PhaseId]) -> Bools:
    serves = [{(s.movement, s.crossing) for s in rules.services if s.phase == p} for p in ids]
    return np.array([[bool(a & b) for b in serves] for a in serves], dtype=bool)


def _follow(rules: SignalRules, ids: Sequence[PhaseId]) -> Ints:
    at = {phase: k for k, phase in enumerate(ids)}
    pairs = [(at[f.phase], at[f.after]) for f in rules.follows if f.phase in at and f.after in at]
    return np.array(pairs, dtype=np.int64).reshape(len(pairs), 2)
