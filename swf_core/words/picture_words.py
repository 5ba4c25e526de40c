"""The words of a transfer read from its pictures: what nobody typed, a captioner says (`--prompt auto`).

A content's caption is stripped of style, and the words that stripping takes out of the style pictures' captions go
around it (`prompt`). Captions are kept by picture, so that the same picture is not read twice.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from ..errors import UserError
from ..pictures import picture_id
from .caption import Captioner, CaptionOptions, caption_pictures
from .clip import Clip
from .medium_confidence import medium_confidence
from .pretrained import EMBEDDED
from .prompt import transfer_prompt
from .strip import Marker, Stripped, strip

# Below it others than the medium named first are together more likely. On 380 pictures of the world it keeps back 2 of
# 5 wrong media and none of 355 right ones.
LEAST_CONFIDENCE = 0.5
KEPT_PICTURES = 512
# All candidates, for the medium's confidence counts them.
OPTIONS = CaptionOptions(keep=100)
# The embedded captioner names media however a caption begins: on 380 pictures of the world 12 draws from an open
# beginning named 92.9 % of the media and 98.2 % of the objects, with half of them from the second one 91.1 and 98.7 %,
# in 1.6 times the time (before the captioner's second round; since then 98.6 and 98.7 %).
EMBEDDED_OPTIONS = CaptionOptions(keep=100, samples=12, beginnings=("",))
# Words of pictures by what read them, and which picture it is; the oldest go first.
_kept: OrderedDict[tuple[str, ...], PictureWords] = OrderedDict()


@dataclass(frozen=True)
class PictureWords:
    """What is known of a picture in words.

    * caption: the captioner's, or as it was given.
    * stripped: the same without style, and what was taken out.
    * confidence: of the medium it names, 0..1 (`medium_confidence`); None where it names none or was given.
    * familiar: False where no caption fits the picture as well as captions fit those the models were trained on.
    """

    caption: str
    stripped: Stripped
    confidence: float | None = None
    familiar: bool = True


@dataclass(frozen=True)
class TransferWords:
    """The prompt of one content in these styles, what it was made from, and in `notes` what was not said and why."""

    prompt: str
    content: PictureWords
    styles: tuple[PictureWords, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class WordReader:
    """Reads pictures [3, H, W] in 0..1.

    * clip: ranks candidates and gives the medium its confidence; without one each candidate counts alike.
    * options: how candidates are made; None: as suits the captioner (`options_for`).
    * marker: marks style words; None: the offline method.
    * least_confidence: 0..1, the least with which a medium is said; 0 says every one.
    """

    captioner: Captioner
    clip: Clip | None = None
    options: CaptionOptions | None = None
    seed: int = 0
    marker: Marker | None = None
    least_confidence: float = LEAST_CONFIDENCE

    def __post_init__(self) -> None:
        if not 0.0 <= self.least_confidence <= 1.0:
            raise UserError(f"The least confidence is {self.least_confidence}; it must be between 0 and 1.")

    def words_of(self, picture: Tensor | str) -> PictureWords:
        """The words of a picture, or of a caption that is given instead. One picture at a time is captioned, so that
        its caption does not depend on the others'."""
        if isinstance(picture, str):
            return PictureWords(picture, strip(picture, self.marker))
        options = self.options or options_for(self.captioner.name)
        key = _key(self.captioner.name, self.clip and self.clip.name, options, self.seed, self.marker, picture)
        words = _kept.get(key)
        if words is None:
            words = _kept[key] = self._read(picture, options)
            while len(_kept) > KEPT_PICTURES:
                _kept.popitem(last=False)
        _kept.move_to_end(key)
        return words

    def prompt_of(
        self, content: Tensor | str, styles: Sequence[Tensor | str], weights: Sequence[float] | None = None
    ) -> TransferWords:
        """The prompt of a content in styles, each a picture or a caption. A style counts by its weight, and one of
        weight 0 is not said."""
        weighed = sorted(zip(weights or [1.0] * len(styles), styles, strict=True), key=lambda pair: -pair[0])
        read = [self.words_of(style) for weight, style in weighed if weight > 0.0]
        return transfer_words(self.words_of(content), read, self.least_confidence)

    def _read(self, picture: Tensor, options: CaptionOptions) -> PictureWords:
        result = caption_pictures(self.captioner, [picture], options, self.clip, self.seed)[0]
        stripped = strip(result.caption, self.marker, media=self.captioner.media)
        confidence = medium_confidence(result.candidates, self.captioner, self.clip)
        least = None if self.clip is None else self.clip.familiar_from
        score = result.candidates[0].score if result.candidates else None
        return PictureWords(result.caption, stripped, confidence, least is None or score is None or score >= least)


def transfer_words(
    content: PictureWords, styles: Sequence[PictureWords], least_confidence: float = LEAST_CONFIDENCE
) -> TransferWords:
    """The prompt of a content in styles, the one that counts most first, from what was read of the pictures.

    A medium with less than `least_confidence` (0..1), or of a picture unlike what the captioner knows, is not said; of
    such a content nothing is. The notes say so.
    """
    if not content.familiar:
        note = f"the content is unlike what the captioner knows ({content.caption!r} fits it badly): no words"
        return TransferWords("", content, tuple(styles), (note,))
    said, notes = [], []
    for style in styles:
        removed = ", ".join(style.stripped.removed) or style.caption
        if not style.familiar:
            notes.append(f"the style picture is unlike what the captioner knows: {removed!r} is not said")
        elif style.confidence is not None and style.confidence < least_confidence:
            notes.append(f"confidence {style.confidence:.2f} is below {least_confidence:g}: {removed!r} is not said")
        else:
            said.append(style.stripped)
    return TransferWords(transfer_prompt(content.stripped, said), content, tuple(styles), tuple(notes))


def options_for(captioner: str) -> CaptionOptions:
    """How candidates are made by the captioner of this name where nobody says it."""
    return EMBEDDED_OPTIONS if captioner == EMBEDDED else OPTIONS


def kept_words(captioner: str, clip: str | None, picture: Tensor) -> PictureWords | None:
    """What models of these names read of a picture before, with the defaults of `WordReader`; None if they did not."""
    return _kept.get(_key(captioner, clip, options_for(captioner), 0, None, picture))


def _key(
    captioner: str, clip: str | None, options: CaptionOptions, seed: int, marker: Marker | None, picture: Tensor
) -> tuple[str, ...]:
    return captioner, clip or "", repr(options), str(seed), marker.name if marker else "", picture_id(picture)


def auto_prompts(
    reader: WordReader,
    contents: Sequence[Tensor],
    styles: Sequence[Tensor],
    progress: Callable[[float], None] | None = None,
) -> list[str]:
    """The prompts of pairs of pictures [3, H, W] in 0..1, a style for each content, the captioner's errors included.

    `progress` is called with the share done, in 0..1, and may raise to stop.
    """
    prompts = []
    for content, style in zip(contents, styles, strict=True):
        prompts.append(reader.prompt_of(content, [style]).prompt)
        if progress:
            progress(len(prompts) / len(contents))
    return prompts


def forget_pictures() -> None:
    """Read every picture anew."""
    _kept.clear()


def most_said(prompts: Sequence[str]) -> str:
    """The prompt that was read most often of pictures of one thing, of equal ones the first; "" where nothing was
    read of any."""
    counts = Counter(prompt for prompt in prompts if prompt)
    return counts.most_common(1)[0][0] if counts else ""
