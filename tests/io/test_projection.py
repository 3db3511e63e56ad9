# SPDX-License-Identifier: Apache-2.0
"""Where places on the earth lie in a network, against published coordinates."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvbo.errors import InputError
from lvbo.io.projection import Projection, read_projection

UTM = "+proj=utm +zone={} +ellps=WGS84 +datum=WGS84 +units=m +no_defs"


def net(folder: Path, projection: str, offset: str = "0.00,0.00") -> Path:
    path = folder / "x.net.xml"
    path.write_text(
        f'<net><location netOffset="{offset}" projParameter="{projection}"/></net>',
        encoding="utf-8",
    )
    return path


def test_the_cn_tower_lies_where_its_utm_coordinates_say(tmp_path: Path) -> None:
    # 43.642567 N, 79.387139 W is 17N 630084 m E, 4833438 m N (Wikipedia, UTM)
    x, y = read_projection(net(tmp_path, UTM.format(17))).to_local(-79.387139, 43.642567)

    assert (x, y) == pytest.approx((630084, 4833438), abs=1.5)


def test_places_south_count_from_ten_million_and_the_offset_moves_them(tmp_path: Path) -> None:
    place = read_projection(net(tmp_path, UTM.format(49) + " +south", "-500000.00,-9000000.00"))

    assert place.to_local(111.0, 0.0) == pytest.approx((0.0, 1_000_000.0))
    assert place.to_local(111.0, -1.0)[1] == pytest.approx(1_000_000 - 0.9996 * 110_574.4, abs=0.5)


def test_a_grid_of_ones_own_has_its_meridian_and_scale(tmp_path: Path) -> None:
    own = "+proj=tmerc +lat_0=30 +lon_0=112.5 +k=1 +x_0=1000 +y_0=2000 +ellps=WGS84"

    assert read_projection(net(tmp_path, own)).to_local(112.5, 30.0) == pytest.approx((1000, 2000))


@pytest.mark.parametrize(
    "stated", ["!", "", "-", "+proj=merc +lon_0=0", "+proj=utm", "+proj=utm +zone=x"]
)
def test_other_projections_are_refused(tmp_path: Path, stated: str) -> None:
    with pytest.raises(InputError, match="LV132"):
        read_projection(net(tmp_path, stated))


def test_east_of_the_meridian_is_east(tmp_path: Path) -> None:
    del tmp_path
    place = Projection(meridian_deg=111.0)

    assert place.to_local(111.1, 37.7)[0] > place.to_local(111.0, 37.7)[0]
