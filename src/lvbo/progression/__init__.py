# SPDX-License-Identifier: Apache-2.0
"""Many controllers: bands, corridors, offsets, time and space."""
