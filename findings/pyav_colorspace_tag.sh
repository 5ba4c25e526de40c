#!/bin/sh
# One would guess: a PyAV encoder whose `codec_context.colorspace` is set to BT.709 turns RGB frames into Y'CbCr by BT.709,
#   as the file then says; a decoder that believes the file gives the colors back.
# It is so that: `encode` converts RGB frames by swscale's default, BT.601, and writes the tag on top of it. Read back by the
#   tag, (200, 40, 60) is (213, 56, 58). It takes `frame.reformat(format, dst_colorspace=ITU709, dst_color_range=MPEG)`
#   before `encode`. Without a tag both ways use BT.601, so that a test of write and read alone does not show it.
# PyAV 18.1.0 (FFmpeg in its wheel); av/video/codeccontext.pyx `_prepare_frames_for_encode`, av/video/reformatter.pyx.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check av==18.1.0 numpy
cd "$folder"
"$folder/venv/bin/python" - <<'END'
import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

COLOR = (200, 40, 60)


def back(tagged, converted):
    with av.open("colors.mp4", "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt, stream.options = "yuv444p", {"crf": "1"}
        if tagged:
            context = stream.codec_context
            context.colorspace = context.color_primaries = context.color_trc = context.color_range = 1
        frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), COLOR, np.uint8), format="rgb24")
        if converted:
            frame = frame.reformat(
                format="yuv444p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
        frame.pts = 0
        for packet in [*stream.encode(frame), *stream.encode()]:
            out.mux(packet)
    with av.open("colors.mp4") as film:
        return tuple(int(v) for v in next(film.decode(video=0)).to_ndarray(format="rgb24")[32, 32])


print("PyAV", av.__version__, "written", COLOR)
plain, tagged, converted = back(False, False), back(True, False), back(True, True)
print("no tag:", plain, "tagged BT.709:", tagged, "converted to BT.709 and tagged:", converted)


def apart(color):
    return max(abs(a - b) for a, b in zip(color, COLOR))


assert apart(plain) <= 3 and apart(converted) <= 3 and apart(tagged) >= 8, "this has changed"
END
