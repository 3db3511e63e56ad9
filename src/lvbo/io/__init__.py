# SPDX-License-Identifier: Apache-2.0
"""Files to values and back, one format a file."""
