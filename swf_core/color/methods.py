"""The names of the ways in which `match` takes a reference's colors, for whoever offers them without using them."""

METHODS = ("linear", "reinhard", "histogram", "sliced", "wavelet", "luminance")
