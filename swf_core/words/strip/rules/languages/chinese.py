"""The offline method for Chinese, where words have no blanks between them: whole clauses, openings and suffixes.

A clause goes when known words of style cover it from end to end; "一幅…的油画" and "这幅水彩画描绘了" are openings,
"梵高风格的" is a prefix. What is painted, hung or sold in the scene (油画店, 桌上的铅笔) matches none of them.
"""

from __future__ import annotations

import re

from ..lexicon import read_list
from .coverage import cover
from .lexicon import FOLDER

_LISTS = read_list("chinese", FOLDER)
_STRONG = {w for name in ("medium", "move", "quality", "noun", "artist") for w in _LISTS[name]}
_FILLER = set(_LISTS["filler"])
# Alone, as a whole clause, these are things, moods or colors of the scene rather than of the picture.
_COVER = cover(_STRONG, _FILLER, _LISTS["weak"], ("风", "派", "墨", "画", "感觉", "颜色"))


def _any(words: list[str]) -> str:
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))


_MEDIUM = _any([w for w in _LISTS["medium"] if w != "作品"])
_ARTIST = _any(_LISTS["artist"])
_STYLE = _any(_LISTS["medium"] + _LISTS["move"] + _LISTS["artist"])
_NOT_THING = f"(?!{_any(_LISTS['thing'])})"
_MEASURE = r"(?:这|那|该|此|本)?(?:是|为)?(?:一|两|几|这|那)?(?:幅|张|副|组|套|件|帧|个)"
_SHOWS = r"(?:主要)?(?:描绘|展示|展现|呈现|表现|刻画|记录|捕捉|画|绘|拍|拍摄|讲述|勾勒)(?:的是|的|出|了|着|有)+"
_MODIFIERS = (
    rf"(?:(?:{_any(sorted(_STRONG | _FILLER))}|[A-Za-z0-9]+(?![A-Za-z0-9])"
    r"|[^，。的]{1,6}?(?:风格|画风|风|派|主义|式)的?){0,4})"
)
_OPENINGS = (
    # 这幅水彩画描绘了…, 一张黑白照片展示了…, 画面中是…
    re.compile(rf"^{_MEASURE}{_MODIFIERS}?(?:{_MEDIUM}){_NOT_THING}(?:中|里|上)?,?{_SHOWS}"),
    # 这幅作品以细腻的工笔手法描绘了…
    re.compile(
        rf"^(?:{_MEASURE}{_MODIFIERS}?)?(?:{_MEDIUM}|作品)(?:以|用|采用|运用)[^，。]{{1,12}}?"
        rf"(?:手法|风格|笔触|技法|形式|画法|色调|线条|方式){_SHOWS}"
    ),
    re.compile(
        r"^(?:画面|图片|图像|照片|画作|作品|图)(?:中|里|上)?(?:主要)?(?:是|有|描绘了|展示了|呈现了|展现了|捕捉了|显示了)"
    ),
    re.compile(rf"^(?:上面|画面上|画中|图中)?{_SHOWS}"),
    # 齐白石的虾 is a title; 齐白石画的虾, 莫奈笔下的睡莲 name the author
    re.compile(rf"^(?:{_ARTIST})(?:画|绘|拍摄|创作|笔下)的"),
    re.compile(rf"^(?:{_ARTIST})(?:的)?(?=\u25a1)"),
    # 梵高风格的…, 赛博朋克风的…, 以水墨画的手法描绘的…
    re.compile(
        r"^(?:以|用|采用)?[^，。的在]{1,10}?(?:风格|画风|画法|手法|技法)(?:绘制|描绘|表现|呈现|画)?(?:出|成)?的"
    ),
    re.compile(
        rf"^(?:以|用|采用)(?:{_STYLE})(?:的)?(?:形式|方式|手法|技法|风格)?(?:绘制|描绘|表现|呈现|画|拍摄)(?:出|成)?的"
    ),
    re.compile(rf"^(?:{_STYLE})风的"),
    # 水墨山水: a medium straight before what it shows
    re.compile(
        rf"^(?:3[dD]渲染|三维渲染|水墨|工笔|写意|浮世绘|像素风|剪纸风|水彩风|水墨风|印象派|后印象派|立体派|野兽派|超现实主义|点彩派)(?:的|(?!的){_NOT_THING})"
    ),
)
_ONE_OF = re.compile(rf"^({_MEASURE}).*?[^上里中内旁外前后]的{_MODIFIERS}?(?:{_MEDIUM})$")
_SUFFIX = re.compile(rf"(?:的|之)(?:{_any(sorted(_STRONG))}|的){{0,4}}(?:{_MEDIUM})$")
_SHOWING = re.compile(rf"^{_MEASURE}(?:描绘|展示|展现|表现|拍摄|关于|反映|记录)(?:了|着)?")
_BY = re.compile(
    r"由[^，。；]{2,12}?(?:创作|绘制|所作|所绘|拍摄|执导)(?:的)?|(?:出自|仿|临摹)[^，。；]{2,8}(?:之手|笔意)?$"
)
_TAIL = re.compile(
    r"[,，]?(?:采用|运用|使用|带有|具有|充满|以)[^，。；]{1,14}?(?:风格|画风|笔触|色调|氛围|质感|技法|手法|效果|画法)$"
)
_SUBJECT = re.compile(
    r"^(?:整体|画面|整个画面|整幅画|整张照片|整张图|全图|全画|照片|作品|画家|艺术家|摄影师|作者)?的?(?:整体)?(?:色调|色彩|笔触|笔法|氛围|气氛|风格|配色|光影|线条|画风|质感|用色|用笔|技法"
    r"|明暗|光线|墨色|构图和色彩|情绪|意境|运用|采用|使用|充满|营造|呈现出)"
)
_ENDS = re.compile(
    r"(?:风格|画风|笔触|笔法|色调|氛围|氛围感|气氛|质感|光效|渲染|画质|技法|画法|意境|配色|光影|风|派|主义|摄影|插画)$"
)
_WHOLE = re.compile(
    rf"^(?:仿|临摹|模仿)[^，。]{{1,6}}?(?:笔意|画风|风格|之作|笔法)?$|^(?:以|用|采用)[^，。]{{1,8}}(?:笔触|手法|技法|线条|色彩)"
    rf"(?:描绘|绘制|画|完成)的(?:{_MEDIUM})(?:里|中|上)?$"
)
# Traditional characters as the lists have them; the places stay the same.
_SIMPLIFIED = str.maketrans(
    "畫風筆調攝圖現實寫義質節細構線條顏國藝術傑級麗夢動數碼電膠顆鏡頭廣長淺雲龍內達倫畢齊張這該為"
    "繪製創與獲獎專業層濃鮮豔豐極簡復懷舊漸變陰陽氣圍溫靜謐憂鬱懼詭異誇幾視覺紋輪飽滿飾紙絹設墊錦"
    "織繡鋼鉛蠟壓銅鏤蝕鑲濕礦顯漢點體獸馬賽剋龐機號導劇場單雙對強門燈燦爛環維虛擬離遠勢韻諧統傳當"
    "時歐亞鄉濱齋歲無題聖經嚴肅樂歡慶熱鬧緊蕭遊戲雜誌廠館師員學課邊裡裏個隻輛棟後開關樣顧愷劉趙鄭"
    "蘭葉陳黃賓愛納羅蘇魯盧爾薩蓋檔軟輕緩銳徠瑪優競壯蒼華貴戰爭貓鳥魚樹葯漁採擊圓東陸儼鐵絲網麼貼"
    "塊編簽識標語訊資報寶來宮駿誠飛聯結帶著應處鏽燒窯觸暈潑沒鉤緣亂疊塗紅綠藍銀",
    "画风笔调摄图现实写义质节细构线条颜国艺术杰级丽梦动数码电胶颗镜头广长浅云龙内达伦毕齐张这该为"
    "绘制创与获奖专业层浓鲜艳丰极简复怀旧渐变阴阳气围温静谧忧郁惧诡异夸几视觉纹轮饱满饰纸绢设垫锦"
    "织绣钢铅蜡压铜镂蚀镶湿矿显汉点体兽马赛克庞机号导剧场单双对强门灯灿烂环维虚拟离远势韵谐统传当"
    "时欧亚乡滨斋岁无题圣经严肃乐欢庆热闹紧萧游戏杂志厂馆师员学课边里里个只辆栋后开关样顾恺刘赵郑"
    "兰叶陈黄宾爱纳罗苏鲁卢尔萨盖档软轻缓锐徕玛优竞壮苍华贵战争猫鸟鱼树药渔采击圆东陆俨铁丝网么贴"
    "块编签识标语讯资报宝来宫骏诚飞联结带着应处锈烧窑触晕泼没钩缘乱叠涂红绿蓝银",
)
# "雪山的油画" alone is a picture, "墙上的油画" a thing.
_OF = re.compile(rf"^[^上里中内旁外前后挂贴看卖买拿搬修赏观展画\u25a1]{{2,20}}(的{_MODIFIERS}?(?:{_MEDIUM}))$")
_SPLIT = re.compile(r"[，。；、：！？,;:!?\n|（）()【】\[\]]+|\s+--|\s+[-\u2013\u2014]\s+|\s{2,}")
_QUOTED = re.compile(r"“[^”]*”|「[^」]*」|『[^』]*』|《[^》]*》|\"[^\"]*\"|‘[^’]*’")


def style_spans(caption: str) -> list[tuple[int, int]]:
    """Character spans of the words that say how the picture is made, sorted, never overlapping."""
    masked = _QUOTED.sub(lambda m: "\u25a1" * len(m[0]), caption).translate(_SIMPLIFIED)
    spans: list[tuple[int, int]] = []
    at = 0
    for sign in [*_SPLIT.finditer(masked), None]:
        end = sign.start() if sign else len(masked)
        spans += [(at + a, at + b) for a, b in _clause(masked[at:end])]
        at = sign.end() if sign else end
    content = sum(not c.isspace() for c in _SPLIT.sub("", caption)) - sum(b - a for a, b in spans)
    if spans and content <= 0:  # a caption of style alone keeps its last piece
        spans.pop()
    return spans


def _clause(text: str) -> list[tuple[int, int]]:
    """Spans within one clause."""
    lead = len(text) - len(text.lstrip())
    body = text.strip()
    if not body or "\u25a1" == body[0] and len(set(body)) == 1:
        return []
    if covered(body) or _is_about_style(body) or _WHOLE.match(body):
        return [(lead, lead + len(body))]
    spans: list[tuple[int, int]] = []
    start, end = 0, len(body)
    if _ONE_OF.search(body):
        suffix = _SUFFIX.search(body)
        front = _SHOWING.match(body) or re.match(rf"{_MEASURE}", body)
        if suffix and front and suffix.start() > front.end():
            start, end = front.end(), suffix.start()
    if (of := _OF.match(body)) and covered(of[1]):
        end = of.start(1)
    while start < end:
        cut = next((m.end() for p in _OPENINGS if (m := p.match(body[start:end])) and start + m.end() < end), 0)
        if not cut:
            break
        start += cut
    for pattern in (_BY, _TAIL):
        if (m := pattern.search(body, start, end)) and m.start() > start:
            if m.end() == end:
                end = m.start()
            else:
                spans.append((lead + m.start(), lead + m.end()))
    if covered(body[start:end]):
        return [(lead, lead + len(body))]
    if start:
        spans.insert(0, (lead, lead + start))
    if end < len(body):
        spans.append((lead + end, lead + len(body)))
    return spans


def covered(text: str) -> bool:
    """Whether known words of style and their fillings cover a clause from end to end, with one of style among them."""
    return _COVER.covers(text.translate(_SIMPLIFIED))


def _is_about_style(text: str) -> bool:
    """Clauses such as 整体色调柔和 or 电影感光效: their subject or their last word is the style."""
    if (m := _SUBJECT.match(text)) and len(text) <= 20:
        return m.end() < len(text) or text in _STRONG
    end = _ENDS.search(text)
    if end is None or len(text) > 9 or "的" in text[:-4] or re.search(r"[0-9一二三四五六七八九十两]", text[:2]):
        return False
    stem = text[: end.start()]
    if not stem or stem in _STRONG:
        return True
    # 大海风 is a wind, 海派 a school: after these, and for the bare 风 and 派, the ending says nothing of style.
    return stem[-1] not in "大海微春秋北南东西狂暴台寒晚清" and end[0] not in ("风", "派")
