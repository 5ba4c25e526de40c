"""Many pictures: a frozen plan of jobs, done in groups by one process, several, or many machines, and resumed.

A group is what one worker does in one go. Which pictures are in it, their seeds and the threads it runs with are the
plan's, whatever the number of workers, so that one and many give the same bytes.
"""

from .inputs import expand
from .jobs import PAIRINGS, Batch, Group, Job, Outcome, job_seed, pair_up, plan
from .manifest import Manifest
from .run import MakeWorker, Report, Worker, run_batch

__all__ = [
    "PAIRINGS",
    "Batch",
    "Group",
    "Job",
    "MakeWorker",
    "Manifest",
    "Outcome",
    "Report",
    "Worker",
    "expand",
    "job_seed",
    "pair_up",
    "plan",
    "run_batch",
]
