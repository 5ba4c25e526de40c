"""Words: captions of pictures, the style taken out of them, and the gap in meaning between the two."""
