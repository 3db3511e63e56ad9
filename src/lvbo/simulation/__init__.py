# SPDX-License-Identifier: Apache-2.0
"""The street, simulated: SUMO runs of a scenario under plans, and what they leave behind."""
