# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from lvbo.progression.drives import drive_through


def green(seconds: int, *spans: tuple[int, int]) -> np.ndarray:
    row = np.zeros(seconds, dtype=bool)
    for start, end in spans:
        row[start:end] = True
    return row


def test_cars_that_arrive_in_green_do_not_stop() -> None:
    """Seconds 10 to 19 leave, 5 s later [18, 25) is green at the next: 13 to 19 get through."""
    first, second = green(60, (10, 20), (40, 50)), green(60, (18, 25), (58, 60))
    found = drive_through([first, second], [5], (0, 60), 30)

    assert (found.departures, found.stops) == (20, 3 + 10)
    assert found.bands_s == (7, 0)
    assert found.without_band == 1


def test_a_car_that_waited_goes_on_from_the_start_of_the_green() -> None:
    """It waits from 5 to 20 at the second signal, and so meets the third, green from 28 on."""
    rows = [green(60, (0, 1)), green(60, (20, 30)), green(60, (28, 32))]
    found = drive_through(rows, [5, 10], (0, 20), 20)

    assert found.stops == 1
