# SPDX-License-Identifier: Apache-2.0
"""The time-space diagram 时距图, one layer a file; `diagram.draw_timespace` joins them."""
