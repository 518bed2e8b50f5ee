"""One file per estimator, one protocol: choices in a frozen object, numbers in functions, a result with its convention."""
