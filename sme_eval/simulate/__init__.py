"""Panels of simulated firms with known effects. Every magnitude is an assumption; no row belongs to a real firm."""
