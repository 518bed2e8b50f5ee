"""What every estimator returns: frozen results with one vocabulary, one table form and one way to print and draw."""
