"""Panel moments: one table of cells from which every linear estimator and its exact covariance follow."""
