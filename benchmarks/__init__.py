"""Ours and the packages of the field side by side, each in its own process: speed, memory, equality of the numbers."""
