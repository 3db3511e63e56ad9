# SPDX-License-Identifier: Apache-2.0
"""Side-by-side measurements: everything compared in one run, on the same input."""
