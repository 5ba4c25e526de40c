"""LoRA files of other makers: keys of every layout, names of layers, kinds of adapters, checked as they are read."""
