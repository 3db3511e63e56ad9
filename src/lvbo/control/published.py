# SPDX-License-Identifier: Apache-2.0
"""The protocol of the published benchmarks: yellow only, nobody on foot, no guarantee of service.

RESCO (Ault and Sharon 2021): a change of stage shows a yellow of at most 3 s to those that lose
their green and nothing to those that keep it; any stage may follow any.
"""

from __future__ import annotations

from dataclasses import replace

from lvbo.network.network import Network
from lvbo.signal.rules import IntergreenMatrix, PhaseLimits, SignalRules

YELLOW_DS = 30
LEAST_DS = 50
NEVER_DS = 1_000_000


def as_published(network: Network) -> Network:
    """Return the network with the rules of the published protocol at every controller."""
    return replace(
        network,
        controllers=tuple(replace(c, rules=published_rules(c.rules)) for c in network.controllers),
    )


def published_rules(rules: SignalRules) -> SignalRules:
    """Return rules with the programme's yellow, 3 s at most, and no other time between greens."""
    yellow = {p.id: min(p.yellow_ds, YELLOW_DS) for p in rules.phases}
    return replace(
        rules,
        phases=tuple(
            replace(p, yellow_ds=yellow[p.id], red_amber_ds=0, flash_ds=0) for p in rules.phases
        ),
        intergreens=IntergreenMatrix(pairs=tuple((a, b, yellow[a]) for a, b, _ in rules.foes)),
        limits=tuple(
            PhaseLimits(phase=p.id, min_green_ds=LEAST_DS, max_red_ds=NEVER_DS)
            for p in rules.phases
        ),
        follows=(),
        may_skip=True,
    )
