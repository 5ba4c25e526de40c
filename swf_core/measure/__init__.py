"""Measuring: metrics of pictures against the truth, and benches that give every figure of the documentation."""
