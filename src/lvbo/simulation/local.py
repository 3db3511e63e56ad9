# SPDX-License-Identifier: Apache-2.0
"""What a site shows by itself while it is given away: its own plan, by rules of its own."""

from __future__ import annotations

from lvbo.control.gate import make_gate
from lvbo.control.guard import Guarded
from lvbo.control.planned import make
from lvbo.control.protocols import Observation, Order, Verdict
from lvbo.control.registry import Situation
from lvbo.control.site import Site
from lvbo.signal.plan import Plan


class LocalControl:
    """The controller of a site on its own: it takes over from the lamps shown, and jumps nowhere.

    Real controllers keep their intergreens whoever asks; SUMO's programmes do not. So the plan that
    keeps the rules runs behind a gate that belongs to the site.
    """

    def __init__(self, site: Site, plan: Plan) -> None:
        self._site = site
        self._situation = Situation(site=site, order=Order.ANY, plan=plan, params={})
        self._gate = make_gate(site, None, Order.ANY)
        self._last_s: int | None = None
        self._take_over()

    def _take_over(self) -> None:
        self._plan = make(self._situation, joins=True)
        self._guard = Guarded(self._site, self._gate, times_walks=False)

    def decide(self, seen: Observation) -> Verdict:
        """Return what the site shows from now on."""
        if self._last_s is not None and seen.time_s - self._last_s > 1:
            self._take_over()
        self._last_s = seen.time_s
        return self._guard(seen, self._plan.decide(seen))
