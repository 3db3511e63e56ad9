# SPDX-License-Identifier: Apache-2.0
"""The command line: thin shells that parse, make one public call, and render."""

from __future__ import annotations


def main() -> None:
    """Run the command line on the arguments of the process and exit with its status.

    Being told to end is an interrupt: what was begun is cleared away.
    """
    import signal
    import sys

    from lvbo.cli.run import run

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))
