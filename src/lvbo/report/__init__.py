# SPDX-License-Identifier: Apache-2.0
"""Figures, tables and pages for people: the only room that draws."""
