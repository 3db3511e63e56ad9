# SPDX-License-Identifier: Apache-2.0
"""What lights may do: phases, rules, plans, schedules, and the checks that keep them safe."""
