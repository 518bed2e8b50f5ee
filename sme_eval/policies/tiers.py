"""The ladder of certificates. Tiers are nested by rule, though not in every list: their numbers are never added."""

from __future__ import annotations

from typing import Final, Literal, get_args

Tier = Literal["innovative", "srdi", "little_giant", "key"]
TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
"""From the lowest to the highest; a firm's level is the place of its highest valid tier, counted from 1 (0: none)."""

Review = Literal["renewed", "not_renewed", "withdrawn", "pending"]
REVIEWS: Final[tuple[Review, ...]] = get_args(Review)

ENDED: Final[tuple[Review, ...]] = ("not_renewed", "withdrawn")
"""Outcomes after which a certificate is known to be over; after the others it is not known until a spell follows."""

VALIDITY_YEARS: Final = 3
"""Every tier is valid for three years and then reviewed (rules of 2022, applied to reviews up to and including 2026)."""
