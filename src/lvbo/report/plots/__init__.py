# SPDX-License-Identifier: Apache-2.0
"""One figure a file, the time-space diagram one layer a file.

Each draws a plain value on the axes it is given.
"""
