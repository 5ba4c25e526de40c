"""The offline method for Japanese, where words have no blanks between them: whole clauses, openings and endings.

A clause goes when known words of style cover it from end to end; "この油絵は…を描いている", "ゴッホ風の" and
"…を描いた水彩画" are openings and endings. What is hung, sold or drawn in the scene (写真館, 似顔絵を描く画家) matches
none of them.
"""

from __future__ import annotations

import re

from ..lexicon import read_list
from .coverage import cover
from .lexicon import FOLDER

_LISTS = read_list("japanese", FOLDER)
_CLASSES = ("medium", "move", "quality", "noun", "artist")
_STRONG = {w.lower() for name in _CLASSES for w in _LISTS[name]}
_FILLER = set(_LISTS["filler"])
_COVER = cover(_STRONG, _FILLER, _LISTS["weak"], ("風", "調", "派", "主義", "線", "墨", "感", "図", "絵", "趣", "色"))


def _any(words: list[str]) -> str:
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))


_MEDIUM = _any(_LISTS["medium"])
_ARTIST = _any(_LISTS["artist"])
_STYLE = _any([*_LISTS["medium"], *_LISTS["move"], *_LISTS["artist"]])
_NOT_THING = f"(?!{_any(_LISTS['thing'])})"
_MANNER = "(?:風|調|様式|スタイル|タッチ|テイスト|っぽい|らしい|のような|流)"
_MAKING = (
    r"(?:描かれ|描い|制作され|撮影され|撮影し|撮られ|仕上げられ|仕上げ|表現され|刷られ|作られ|生成され)(?:た|ている|て)"
)
_SHOWING = (
    r"(?:を|が|の様子を|の姿を)?(?:描い|描き出し|描写し|写し|捉え|とらえ|表し|表現し|収め|示し"
    r"|題材にし|題材とし|モチーフにし|撮影し|撮っ)(?:た|ている)"
)
_PICTURES = frozenset((*_LISTS["medium"], "画面"))
_NOUN = _any([w for w in _LISTS["noun"] if len(w) > 1])
# Of these "...の" may be a thing of the scene: a mosaic floor, a room with posters.
_THINGS = (
    "絵 図 作品 アート ステンドグラス モザイク 刺繍 タペストリー ポスター 壁画 漫画 マンガ コミック アニメ 絵本"
    " 落書き ロゴ アイコン 画像 写真 イメージ ビラ 絵葉書 屏風絵 木炭 絵巻"
).split()
_PREFIX = _any([m for m in _LISTS["medium"] if m not in _THINGS])
_NAME = rf"(?:{_ARTIST}|[ァ-ヶー]+・[ァ-ヶー・＝]+)"
_TOOLS = "鉛筆|色鉛筆|インク|墨|チョーク|ペン|ボールペン|筆|クレヨン|マーカー|絵の具|水彩絵の具|油絵の具|アクリル絵の具"
_CAMERAS = (
    "スマートフォン|スマホ|携帯電話|一眼レフ|デジカメ|カメラ|フィルムカメラ|ライカ|ドローン|魚眼レンズ|望遠レンズ"
    "|広角レンズ"
)
_OPENINGS = (
    # 油彩で描かれた市場, 水彩による花
    re.compile(rf"(?i)^(?:{_STYLE})(?:{_MANNER})?(?:で|に|により|によって|を使って|の技法で|の手法で){_MAKING}"),
    re.compile(rf"(?i)^(?:{_STYLE})による"),
    # ゴッホ風の星空, 水彩画タッチの花; but ゴシック様式の教会 is a church
    re.compile(rf"(?i)^(?:{_STYLE}|{_NAME})(?:風|調|スタイル|タッチ|テイスト|のスタイル|の画風|の作風|の筆致)(?:の|で|な|に)(?:{_MAKING})?(?=.)"),
    re.compile(rf"(?i)^(?:{_NAME})(?:に|から|の)(?:インスパイアされた|影響を受けた|触発された|着想を得た|倣った|ならった|ちなんだ)(?=.)"),
    re.compile(rf"(?i)^(?:{_ARTIST})(?:作|筆|画)?の?(?=\u25a1)"),
    re.compile(rf"(?i)^(?:{_ARTIST})(?:が描いた|が撮影した|の描いた|の撮影した|による)(?=.)"),
    # 映画のワンシーンのような路地, 鮮やかな色彩で描かれた市場, 紙に鉛筆で描かれた老人, スマホで撮影した朝食
    re.compile(rf"(?i)^(?:{_ARTIST})?(?:監督|先生)?(?:の)?(?:{_STYLE})(?:の(?:ワンシーン|一場面))?のような(?=.)"),
    re.compile(rf"(?i)^[^はがをへ\u25a1]{{0,12}}(?:{_NOUN})(?:で|により|によって){_MAKING}(?=.)"),
    re.compile(rf"(?i)^(?:(?:紙|板|布|絹|和紙|キャンバス|カンヴァス)に)?(?:{_STYLE}|{_TOOLS})で{_MAKING}(?=.)"),
    re.compile(rf"(?i)^(?:{_CAMERAS})で(?:撮影し|撮影され|撮っ|撮られ|捉え)た(?=.)"),
    # 水彩画の猫, モノクロの街並み
    re.compile(rf"(?i)^(?:{_PREFIX}|モノクロ|モノクローム|セピア調)の{_NOT_THING}(?=.)"),
)  # fmt: skip
# この油絵は…, 一枚の写真には…, 画面の中では…: where what stands before the particle is style alone
_PICTURE = re.compile(
    rf"^(?:この|その|本|こちらの|上の|一枚の|ある)?(?P<head>[^はがを]{{0,14}}?(?:{_MEDIUM}|画面|場面))(?:の中|内)?(?:は|には|では)(?=.)"
)
# …を描いています, …が写っている: behind an opening alone
_CLOSING = re.compile(
    r"(?:の様子|の姿|の場面)?(?:を|が|も)?(?:描かれ|描い|描き出し|描写し|描写され|写っ|写し出され|映っ|写され|捉え"
    r"|捉えられ|とらえ|示し|示され|表し|表され|表現し|表現され|見え|見られ|収め|収められ|あり)"
    r"(?:ている|ています|ていた|てあります|てある|ました|ます|た|る)?$"
)
_THING_SHOWN = re.compile(r"を(?:描い|写し|捉え|表し|表現し)た(?:もの|作品|一枚|場面)(?:です|である|だ)?$")
_COPULA = re.compile(r"(?:です|である|であります|だ|でした)$")
_LINKS = re.compile(rf"{_SHOWING}|を(?:主題|テーマ)にした|(?:が|の)(?:描かれた|写った|写っている)|による|の|という")
_PLACES = ("上", "中", "下", "横", "前", "隣", "そば", "壁", "棚", "側", "奥", "脇", "裏", "外", "机", "アルバム", "店")
_ABOUT = re.compile(
    rf"^[^はがを\u25a1]{{0,14}}?(?:{_NOUN})(?:と[^はがを]{{1,14}}?(?:{_NOUN}))?(?:は|が|も|によって|により|で)"
)
_ENDS = re.compile(rf"(?i)^[^はがをへ\u25a1]{{0,10}}(?:い|な|た|的|系|く|る)(?:{_NOUN}|線|イラスト|ライティング|照明)$")
_AT_END = re.compile(rf"(?:{_MEDIUM}|{_any(_LISTS['move'])})$")
# A picture that is hung, torn or sold is a thing of the scene.
_HUNG = re.compile("掛かっ|掛けられ|飾られ|飾っ|貼られ|破れ|額装|売られ|並ぶ|並べ|積ま|散らば")
_SPLIT = re.compile(r"[、。，．；：！？,;:!?\n|（）()【】\[\]]+|\s+[-\u2013\u2014]+\s*|\s{2,}")
_LONGEST_END = 48
_SENTENCE = re.compile(r"[。！？!?\n]")
_QUOTED = re.compile(r"「[^」]*」|『[^』]*』|《[^》]*》|〈[^〉]*〉|\u201c[^\u201d]*\u201d|\"[^\"]*\"")


def style_spans(caption: str) -> list[tuple[int, int]]:
    """Character spans of the words that say how the picture is made, sorted, never overlapping."""
    masked = _QUOTED.sub(lambda m: "\u25a1" * len(m[0]), caption)
    spans: list[tuple[int, int]] = []
    at, opened = 0, False
    for sign in [*_SPLIT.finditer(masked), None]:
        end = sign.start() if sign else len(masked)
        clause, opened = _clause(masked[at:end], opened)
        spans += [(at + a, at + b) for a, b in clause]
        at = sign.end() if sign else end
        opened = opened and not (sign and _SENTENCE.search(sign[0]))
    content = sum(not c.isspace() for c in _SPLIT.sub("", caption)) - sum(b - a for a, b in spans)
    if spans and content <= 0:  # a caption of style alone keeps its last piece
        spans.pop()
    return spans


def covered(text: str) -> bool:
    """Whether known words of style and their fillings cover a clause from end to end, with one of style among them."""
    return _COVER.covers(text)


def _clause(text: str, opened: bool) -> tuple[list[tuple[int, int]], bool]:
    """Spans within one clause, and whether its sentence has begun to speak of the picture ("この絵には")."""
    lead = len(text) - len(text.lstrip())
    body = text.strip()
    if not body or len(set(body)) == 1 and body[0] == "\u25a1":
        return [], opened
    whole = [(lead, lead + len(body))]
    if covered(body):
        return whole, opened or body.endswith(("は", "では", "には"))
    if "\u25a1" not in body and (_ABOUT.match(body) or _ENDS.match(body)) and not _counts(body):
        return whole, opened
    start, opens = 0, False
    for _ in range(3):
        cut = next((m.end() for p in _OPENINGS if (m := p.match(body[start:]))), 0) or _picture(body[start:])
        if _HUNG.search(body[: start + cut + 8]):
            break
        if not cut or start + cut >= len(body):
            break
        opens = opens or body[start : start + cut].endswith(("は", "に", "で"))
        start += cut
    opened = opened or opens
    end = _ending(body, start)
    closing = _THING_SHOWN.search(body, start, end) or _CLOSING.search(body, start, end)
    if opened and closing and closing.start() > start:
        end = closing.start()
    if start and covered(body[start:end]):
        return whole, opened
    spans = [(lead, lead + start)] if start else []
    if end < len(body):
        spans.append((lead + end, lead + len(body)))
    return spans, opened


def _picture(text: str) -> int:
    """Where "この油絵は" ends; 0 where a text does not begin so."""
    match = _PICTURE.match(text)
    return match.end() if match and (covered(match["head"]) or match["head"] in _PICTURES) else 0


def _ending(body: str, start: int) -> int:
    """Where "…を描いた水彩画", "…の木炭デッサン" begins; the end where there is none."""
    bare = _COPULA.sub("", body)
    if _HUNG.search(body) or not _AT_END.search(bare):
        return len(body)
    for link in _LINKS.finditer(body, max(start + 1, len(body) - _LONGEST_END)):
        rest = bare[link.end() :]
        if (covered(rest) or rest == "絵") and not body[: link.start()].endswith(_PLACES):
            return link.start()
    return len(body)


def _counts(body: str) -> bool:
    return bool(re.search(r"[0-9一二三四五六七八九十両][人匹頭羽本枚個台軒艘隻つ]", body))
