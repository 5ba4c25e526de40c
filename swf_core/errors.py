"""The one exception for what a person can put right: a wrong option, a broken file, a full disk."""

from __future__ import annotations


class UserError(ValueError):
    """Say in one sentence what was given, what is allowed and what to do; the command line shows it and exits 2."""
