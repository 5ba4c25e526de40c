"""Trials: arms x pairs x seeds, each result measured in a row of a table that a stopped trial continues from."""
