"""The packages that callers install, against the running platform."""
