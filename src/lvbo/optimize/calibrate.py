# SPDX-License-Identifier: Apache-2.0
"""Fit how traffic behaves here to the waits seen on links, and tell how well that holds elsewhere.

Half of the links that other signals feed serve the fit, the others only judge it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from lvbo.ids import ControllerId, LinkId
from lvbo.network.network import Network
from lvbo.optimize.evaluate import AreaJudge, Plans
from lvbo.optimize.mesh import Traits, Volumes
from lvbo.timing.model import ControllerModel

Floats = NDArray[np.float64]

ALPHAS = (0.2, 0.35, 0.5, 0.8)
SPEED_SHARES = (0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
FLOW_SHARES = (0.9, 1.0, 1.1)
"""What is tried: dispersion, share of the limit, share of the saturation flow."""
LEAST_LINKS = 4
"""With fewer fed links nothing can be held out."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Plans that ran, and how long vehicles waited on each link then, veh-s per hour."""

    plans: Plans
    waits_vehs_ph: Mapping[LinkId, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Traits fitted, and the error on links that were held out, before and after.

    Errors are sums of absolute differences over the sum of what was seen, after the model's level
    was scaled to it: `level` seen waits for one of the model.
    """

    traits: Traits
    level: float
    error: float
    held_out_before: float
    held_out: float
    links: int


@dataclass(frozen=True, kw_only=True)
class _Task:
    network: Network
    models: Mapping[ControllerId, ControllerModel]
    volumes: Volumes
    speeds_mps: Mapping[LinkId, float] | None
    seen: Sequence[Seen]

    def waits(self, traits: Traits, links: Sequence[LinkId]) -> Floats:
        """Return the model's delay on these links under each set of plans, one after the other."""
        judge = AreaJudge(self.network, self.models, self.volumes, self.speeds_mps, traits)
        found = []
        for one in self.seen:
            own = {c.link: c.delay_vehs for c in judge.cost(one.plans).links}
            found += [own[link] for link in links]
        return np.array(found)

    def fed(self) -> list[LinkId]:
        """Return the links that other signals feed and that were seen."""
        judge = AreaJudge(self.network, self.models, self.volumes, self.speeds_mps)
        mesh = judge.mesh(tuple(self.models))
        fed = {mesh.links[pipe.link] for pipe in mesh.pipes}
        return sorted(link for link in fed if all(link in one.waits_vehs_ph for one in self.seen))


def calibrate(
    network: Network,
    models: Mapping[ControllerId, ControllerModel],
    volumes: Volumes,
    seen: Iterable[Seen],
    speeds_mps: Mapping[LinkId, float] | None = None,
) -> Fit:
    """Return the traits that explain the waits seen best; usual ones where too little was seen.

    Where speeds were measured, the share of the limit is left as it is.
    """
    task = _Task(
        network=network, models=models, volumes=volumes, speeds_mps=speeds_mps, seen=tuple(seen)
    )
    links, usual = task.fed(), Traits()
    if len(links) < LEAST_LINKS or not task.seen:
        return Fit(traits=usual, level=1, error=0, held_out_before=0, held_out=0, links=0)
    fitted, judged = links[::2], links[1::2]
    want = _seen(task.seen, fitted)
    shares = (usual.speed_share,) if speeds_mps else SPEED_SHARES
    tried = [
        Traits(alpha=a, speed_share=v, flow_share=f)
        for a, v, f in product(ALPHAS, shares, FLOW_SHARES)
    ]
    errors = {traits: _error(task.waits(traits, fitted), want) for traits in (usual, *tried)}
    best = min(errors, key=lambda t: (errors[t][0], t != usual, t.alpha, t.speed_share))
    held = _seen(task.seen, judged)
    error, level = errors[best]
    return Fit(
        traits=best,
        level=level,
        error=error,
        held_out_before=_off(task.waits(usual, judged), held, errors[usual][1]),
        held_out=_off(task.waits(best, judged), held, level),
        links=len(judged),
    )


def _seen(seen: Sequence[Seen], links: Sequence[LinkId]) -> Floats:
    return np.array([one.waits_vehs_ph[link] for one in seen for link in links])


def _error(model: Floats, want: Floats) -> tuple[float, float]:
    """Return the relative error and the level at which it is least."""
    rest = float((model**2).sum())
    level = float((model * want).sum()) / rest if rest > 0 else 1.0
    return _off(model, want, level), level


def _off(model: Floats, want: Floats, level: float) -> float:
    return float(np.abs(level * model - want).sum() / max(want.sum(), 1e-9))
