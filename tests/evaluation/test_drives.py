# SPDX-License-Identifier: Apache-2.0
"""Drives in local metres matched to a street of stop lines at 0, 420 and 1,030 m."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from tests.report import streets

from lvbo.evaluation.corridors import Way
from lvbo.evaluation.drives import Fitted, centre_line, fit_drive

NETWORK, CORRIDOR = streets.street(), streets.corridor()


def drive(xs: Sequence[float], off_m: float = 4.0, step_s: float = 5.0) -> Fitted:
    """Return a drive through these places of the street, one each step, beside its centre line."""
    times = [step_s * k for k in range(len(xs))]
    return fit_drive("car", times, [(x, off_m) for x in xs], CORRIDOR, NETWORK)


def test_the_centre_line_has_its_stop_lines_where_the_corridor_has_them() -> None:
    for way in (Way.OUTBOUND, Way.INBOUND):
        line, at = centre_line(CORRIDOR, NETWORK, way)

        assert np.interp(420.0, np.sort(line[:, 0]), np.sort(at)) == pytest.approx(420.0)
        assert list(at) == sorted(at, reverse=way is Way.INBOUND)
        assert (min(at), max(at)) == ((-200.0, 1030.0) if way is Way.OUTBOUND else (0.0, 1230.0))


def test_a_drive_out_and_back_is_two_stretches_each_in_its_direction() -> None:
    out = list(range(0, 1000, 50))
    fitted = drive([*out, *reversed(out)])
    ways = fitted.tracks.group_by("vehicle", maintain_order=True).agg("way", "x_m").rows()

    assert [(set(way), xs[0] < xs[-1]) for _, way, xs in ways] == [
        ({"outbound"}, True),
        ({"inbound"}, False),
    ]
    assert fitted.tracks["x_m"].min() == 0.0


def test_places_off_the_street_or_long_apart_cut_a_drive() -> None:
    times = [0.0, 10.0, 20.0, 30.0, 40.0, 140.0, 150.0]
    points = [(0.0, 0.0), (120.0, 0.0), (200.0, 90.0), (300.0, 0.0), (410.0, 0.0), (500.0, 0.0)]
    fitted = fit_drive("car", times, [*points, (620.0, 0.0)], CORRIDOR, NETWORK)
    pieces = fitted.tracks.group_by("vehicle", maintain_order=True).agg("x_m")["x_m"].to_list()

    assert pieces == [[0.0, 120.0], [300.0, 410.0], [500.0, 620.0]]


def test_who_drives_elsewhere_or_hardly_moves_gives_no_stretch() -> None:
    aside, standing = drive(range(0, 1000, 50), off_m=80.0), drive([300.0, 305.0, 340.0, 390.0])

    assert aside.tracks.is_empty()
    assert aside.nearest_m == pytest.approx(80.0)
    assert standing.tracks.is_empty()
