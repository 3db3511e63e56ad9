# SPDX-License-Identifier: Apache-2.0
"""What will come: arrivals, turning volumes, saturation flows."""
