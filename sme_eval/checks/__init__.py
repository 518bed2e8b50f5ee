"""One file per threat to a design. A check never raises for bad news; it says passed, failed, or informative."""
