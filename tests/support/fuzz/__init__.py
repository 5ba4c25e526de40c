"""A fuzzer of everything that this pack reads: seeded, bounded mutations of real files, texts and requests.

`python -m support.fuzz --cases 10000` (with `tests` on the path; `make fuzz`) runs them in worker processes and writes
the counts by kind; `make test` runs 300. A case's seed makes it again; no case is ever stored.
"""
