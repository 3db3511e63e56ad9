# SPDX-License-Identifier: Apache-2.0
"""The command line: thin shells that parse, make one public call, and render."""

from __future__ import annotations


def main() -> None:
    """Run the command line on the arguments of the process and exit with its status."""
    import sys

    from lvbo.cli.run import run

    sys.exit(run(sys.argv[1:]))
