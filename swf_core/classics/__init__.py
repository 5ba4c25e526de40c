"""The classics of style transfer before diffusion, each from its paper's equations."""
