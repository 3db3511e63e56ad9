# SPDX-License-Identifier: Apache-2.0
"""What the street is: intersections, lanes, movements, crossings, corridors."""
