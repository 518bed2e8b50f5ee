"""From notebooks and policies to a report: parameters, runs in their own process, staleness, publication.

A run writes into a staging folder and is moved into `reports/` file by file, its stamp last: after an interruption
whatever is not stamped is made again. `show`, `simulated` and `records` are what the notebooks call.
"""
