# SPDX-License-Identifier: Apache-2.0
"""Run the command line as `python -m lvbo.cli`."""

from __future__ import annotations

from lvbo.cli import main

main()
