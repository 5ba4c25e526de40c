"""Pictures in and out: any file Pillow reads becomes a float tensor [3,H,W], sRGB in 0..1, and back.

Alpha is kept aside for the output. Working sizes and padding are the transfer's (`transfer/sizes.py`).
"""

from .contact_sheet import sheet
from .identity import picture_id
from .picture import SMALLEST_PX, Picture
from .reading import LARGEST_PIXELS, check, from_png, load, size_of
from .sizes import check_size, resize, scaled
from .writing import png_bytes, save, to_image

__all__ = [
    "LARGEST_PIXELS",
    "SMALLEST_PX",
    "Picture",
    "check",
    "check_size",
    "from_png",
    "load",
    "picture_id",
    "png_bytes",
    "resize",
    "save",
    "scaled",
    "sheet",
    "size_of",
    "to_image",
]
