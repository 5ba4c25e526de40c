"""The feedback gallery on the server: tokens of runs, waits for picks, routes."""
