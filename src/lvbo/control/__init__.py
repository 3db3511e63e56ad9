# SPDX-License-Identifier: Apache-2.0
"""Who decides each second: controllers wish, one gate decides, the street shows."""
