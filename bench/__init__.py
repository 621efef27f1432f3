"""The benchmark: what the package costs in requests, seconds, memory and platform calls, and how little is possible."""
