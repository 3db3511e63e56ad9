# SPDX-License-Identifier: Apache-2.0
"""Was it better: measures of runs and paired comparisons."""
