# SPDX-License-Identifier: Apache-2.0
"""The folder on disk, and the line over it."""
