"""The tables of how far each design can be trusted, measured on simulated panels; every number here is simulated."""
