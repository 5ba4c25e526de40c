"""Training a LoRA on a MODEL of the graph."""
