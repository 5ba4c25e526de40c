"""Films: pictures in a row, read and written with their times, their sound and their colors, in constant memory.

PyAV does the formats (the extra `film`); nothing here needs it to be imported.
"""

from .info import FilmInfo, film_info
from .reader import Frame, frames_of
from .retouch import SEGMENT, retouch
from .writer import write_film

__all__ = ["SEGMENT", "FilmInfo", "Frame", "film_info", "frames_of", "retouch", "write_film"]
