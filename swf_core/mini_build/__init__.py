"""Training the embedded family from nothing: stages, their loop, data and model card. The product never imports it."""
