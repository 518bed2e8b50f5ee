"""What is in the panel beside the policies under study: other policies, reported research, review and firms that leave.

Every magnitude is an assumption. None of it moves an outcome unless a scenario says so.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrent:
    """Two other policies: the status of national high-technology enterprise and the grant for a digital retrofit.

    A firm's log odds of ever holding the status are `base + rd × R&D + giant × (little giant)`, of the grant
    `digital_base + digital_size × size`, traits standardised; the first year is any of `years`, `digital_years`, equally likely.
    """

    base: float = -1.5
    """Log odds of an average firm that is no little giant: about 18 %."""
    rd: float = 0.7
    """Per standard deviation of R&D intensity."""
    giant: float = 1.5
    """Of a little giant: about half of them hold the status."""
    years: tuple[int, int] = (2016, 2023)
    """First and last year in which the status is given."""
    aligned: float = 0.0
    """Share of the little giants with the status that get it in the year of their certificate."""
    effect: float = 0.0
    """Log points of revenue that the status brings from its first year on; in no true effect, since it is not evaluated."""
    digital_base: float = -2.0
    """Log odds of a firm of average size: about 12 %."""
    digital_size: float = 0.5
    """Per standard deviation of size."""
    digital_years: tuple[int, int] = (2020, 2023)
    """First and last year in which the grant is paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """Research and development in percent of revenue, as verified and as reported: statuses relabel, they move no research."""

    sd: float = 0.4
    """Standard deviation of the yearly deviation of verified R&D from the firm's baseline intensity (persistence 0.6)."""
    sd_report: float = 0.2
    """Standard deviation of the yearly error of the report."""
    certified: float = 0.6
    """Percent of revenue that is called R&D from certification on and was not before."""
    high_technology: float = 0.5
    """The same from the high-technology status on; both add up."""
    verified: float = 0.7
    """Share of firms whose figure is verified; of the others there is none in any year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A certificate is valid for three years and may not be renewed."""

    validity: int = 3
    """Years."""
    not_renewed: float = 0.15
    """Share that loses the certificate at each review; nothing else changes with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """Firms that leave the panel for good, each year from its third on.

    The chance is `hazard × exp(−growth × relative growth) × certified`, the last factor for little giants only; relative growth
    is that of untreated revenue in the year before, less the mean of all firms. No firm leaves before its last entry to a list:
    lists are drawn among all firms.
    """

    hazard: float = 0.0
    """Per year, of a firm that grows like the mean."""
    growth: float = 1.5
    """Per log point of growth: firms that shrank leave more often."""
    certified: float = 0.3
    """Factor on the chance of a little giant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Firms that are not in the panel from its first year on, but always from four years before their first list or service on."""

    share: float = 0.0
    """Of all firms; the year is any later one, equally likely, and brought forward where a list asks for it."""
