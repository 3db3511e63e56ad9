# SPDX-License-Identifier: Apache-2.0
"""The demo city `yuci`, made from a seed: chosen figures, not measured ones."""
