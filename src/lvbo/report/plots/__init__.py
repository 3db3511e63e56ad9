# SPDX-License-Identifier: Apache-2.0
"""One figure a file; each draws a plain value on the axes it is given."""
