# SPDX-License-Identifier: Apache-2.0
"""What was seen: detectors, counts, events, and how far they can be trusted."""
