"""Learning a style from a picture: data set, LoRA trainer, samples on the way, rounds of picks, signals.

The caption that is trained on says nothing of the style (`swf_core.words`): what it leaves out is what the LoRA learns.
"""
