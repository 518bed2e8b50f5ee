"""The neck of the hourglass: design → evaluation record → claim → disclosure gate."""
