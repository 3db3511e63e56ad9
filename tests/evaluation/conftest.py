# SPDX-License-Identifier: Apache-2.0
"""The tiny street and its runs, made once per session."""

from __future__ import annotations

from tests.simulation.runs import safe_runs, shipped_runs, tiny, tiny_config

__all__ = ["safe_runs", "shipped_runs", "tiny", "tiny_config"]
