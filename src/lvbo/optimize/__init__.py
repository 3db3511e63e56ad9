# SPDX-License-Identifier: Apache-2.0
"""A whole area: a fast traffic model of many signals, and the search for plans on it."""
