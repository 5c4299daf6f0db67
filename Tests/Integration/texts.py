"""Message texts as people write them, the same for the same seed: many scripts, and what breaks careless code."""

import random
import unicodedata
from collections.abc import Iterator

PHRASES = [
    "我们明天几点见？老地方，别迟到。",
    "請問會議室在幾樓？電梯旁邊嗎？",
    "مرحبا، كيف حالك اليوم؟ أراك غدًا عند الساعة ٨",
    "नमस्ते! क्या आप कल आ रहे हैं? क्षत्रिय, श्रृंखला",
    "Съешь ещё этих мягких французских булок, да выпей же чаю",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich",
    "いろはにほへと ちりぬるを、カタカナと漢字も。",
    "สวัสดีครับ พรุ่งนี้เจอกันที่สถานีรถไฟฟ้านะ",
    "שלום, מה שלומך? נתראה מחר בבוקר",
    "다람쥐 헌 쳇바퀴에 타고파",
    "Ξεσκεπάζω τὴν ψυχοφθόρα βδελυγμία",
    "Chuyện này để mai mình nói tiếp nhé, được không?",
    "See you at 7 -- bring the *good* coffee & 50% more milk <3",
]

TROUBLE = [
    "👩‍👩‍👧‍👦 👨🏽‍🚀 🏳️‍🌈 🇩🇪🇯🇵 ☕️",
    "🤦🏿‍♀️🫱🏻‍🫲🏾",
    "e\u0301 vs \u00e9, o\u0302\u0323, Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L",
    "\u202eright-to-left override\u202c \u2067isolated\u2069",
    "𝒳𝔘𠮷𡃁𐍈 𓀀 \U0010ffff \U0001f9ff",
    'she said "no", then \\ "\\\\" and \\u0041',
    "line one\nline two\r\n\ttabbed\n",
    "\x01\x02\x1f\x7f\u0085\u2028\u2029\ufeff",
    '{"type":1,"content":"not a request"}',
    "'; DROP TABLE users; -- </script>",
    "\ufffd \ufffe \uffff \ue000",
    " leading and trailing ",
    "->",
    "/ \\/ %00 %F0%9F",
]


def texts(seed: int) -> Iterator[str]:
    """Endless texts of one to six pieces, up to about 400 characters."""
    randomness = random.Random(seed)
    while True:
        count = randomness.choice([1, 1, 1, 2, 2, 3, 6])
        pieces = [randomness.choice(TROUBLE if randomness.random() < 0.3 else PHRASES) for _ in range(count)]
        yield randomness.choice([" ", "", " … ", "\n"]).join(pieces)


def account_names(seed: int, count: int) -> list[str]:
    """Different account names in several scripts, all of them NFC and at most 64 bytes."""
    stems = ["alice", "鲍勃", "Анна", "محمد", "प्रिया", "Jürgen", "さくら", "🦊fox", "o'neil", "a b"]
    randomness = random.Random(seed)
    names = [f"{stems[index % len(stems)]}{randomness.randrange(10**6)}_{index}" for index in range(count)]
    return [unicodedata.normalize("NFC", name) for name in names]
