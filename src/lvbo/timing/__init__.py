# SPDX-License-Identifier: Apache-2.0
"""One controller: what its lights need, and the cycle and greens that serve its demand best.

Formula rooms (pure functions on numbers and arrays): `critical`, `webster`, `splits`, `clearance`,
`capacity`, `permitted`, `delay`, `queue`, `pedestrian`, `stops`. The search over cycles and greens
is `cycle`, asked with a `problem` and bounded by `limits`; `cures` says what would help where
demand is over capacity. Import from the rooms: this file stays empty so that nothing heavy loads.
"""
