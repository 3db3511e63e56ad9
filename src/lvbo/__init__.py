# SPDX-License-Identifier: Apache-2.0
"""Lvbo (绿波): from a street and its counts to a proven two-way green wave."""
