"""Arrays in, small frozen results out: no pandas, no column names, no policies."""
