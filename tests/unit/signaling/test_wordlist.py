"""wordlist.py: 256 words that are hard to take for one another."""

from __future__ import annotations

from hashlib import sha256
from itertools import combinations, pairwise

from mayfly.signaling.wordlist import WORDS

# Words that sound like another of other spelling; a list to look words up in, not a whole one.
HOMOPHONES = """
    aisle allowed altar ascent bail bait balance ball band bare baron barren base bass beach bean bear beat beer berry
    berth bite blew blue board boar border bored borough bough bowl boy brake bread break bridal bridle broach brooch
    buoy bury cached canvas canvass carat carrot caret cash ceiling cell cellar cent cereal chased cheap chews chilly
    choir chord chute cite coal coarse cord core council counsel course cousin creak creek crews cruise cue currant
    current cygnet cymbal days dear deer desert dessert dual duel earn eight ewe fair fare faint feat feet fir flair
    flare flea flee flew floe flour flower flue foul fowl freeze frieze gait gate gorilla grate great groan grown guest
    guerrilla hair hall hangar hanger hare heal heard heart heel heir herd hoarse hole horse hour hymn idle idol idyll
    jewel joule kernel knead knight knot lane lead leak lesson lessen liar links loan lute loot made mail main maize
    male manner manor mantel mantle marshal martial maze meat medal meddle metal mettle meter miner minor missile moat
    moose morning mourning mousse muscle mussel mustard mustered naval navel nickle night oar ore paced pail pain pair
    palate palette pale pane patience patients pause paws peace peak pear pearl pedal peddle pedlar peer petal piece
    pier pigeon pidgin pilot plain plane plum plumb pole poll praise pray prey presence presents prince prints principal
    profit prophet quarts quartz queue rain raise rays reed reign rein rhyme ring road role roll root rose route rowed
    sail sale sauce scene scent sealing seam seller serial sew shear shore sight signet site slay sleigh soar sole
    soldier sore soul sore source staid stair stake stationary stationery steak steal steel stair stile straight strait
    style suite sundae sunday sweet symbol tail tale taper tapir taught team tear tee thyme tide tied time tire toad toe
    towed turn urn vale veil vain vane vein vial waist waste wait ward warn wave way weak weather week weigh whale wheel
    whether whine whole wine witch wood worn wrap yoke yolk
"""
# A coarse net for what should never be read out to a stranger.
UNPLEASANT = """
    abuse ass bastard bitch bomb corpse crap cunt damn dead death devil die drug dumb fag fat fuck gun hate hell idiot
    kill lust moron murder nazi nude piss pistol poison porn rape rifle sex shit slave slut spy stupid suicide terror
    tit torture tumor ugly victim virgin vomit war weapon whore
"""
_SOUNDEX = {
    letter: str(digit) for digit, group in enumerate(["bfpv", "cgjkqsxz", "dt", "l", "mn", "r"], 1) for letter in group
}


def soundex(word: str) -> str:
    code, last = word[0], _SOUNDEX.get(word[0], "")
    for letter in word[1:]:
        digit = _SOUNDEX.get(letter, "")
        if digit and digit != last:
            code += digit
        if letter not in "hw":
            last = digit
    return (code + "000")[:4]


def distance(first: str, second: str) -> int:
    row = list(range(len(second) + 1))
    for i, x in enumerate(first, 1):
        before = row
        row = [i]
        for j, y in enumerate(second, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y)))
    return row[-1]


def test_helpers() -> None:
    assert [soundex(word) for word in ("robert", "rupert", "ashcraft", "tymczak", "lee")] == [
        "r163",
        "r163",
        "a261",
        "t522",
        "l000",
    ]
    assert distance("kitten", "sitting") == 3


def test_256_sorted_lower_case_words() -> None:
    assert len(WORDS) == 256
    assert all(first < second for first, second in pairwise(WORDS))
    assert all(word.isascii() and word.isalpha() and word.islower() for word in WORDS)
    assert {len(word) for word in WORDS} == {4, 5, 6, 7, 8}


def test_first_four_letters_are_unique() -> None:
    assert len({word[:4] for word in WORDS}) == 256


def test_no_two_are_two_letters_apart() -> None:
    close = [(a, b) for a, b in combinations(WORDS, 2) if distance(a, b) < 3]
    assert not close


def test_no_two_sound_alike() -> None:
    assert len({soundex(word) for word in WORDS}) == 256


def test_no_homophones() -> None:
    assert not set(HOMOPHONES.split()) & set(WORDS)


def test_nothing_unpleasant() -> None:
    unpleasant = UNPLEASANT.split()
    assert not set(unpleasant) & set(WORDS)
    assert not [word for word in WORDS for bad in unpleasant if len(bad) > 3 and bad in word]


def test_the_list_never_changes() -> None:
    digest = sha256("\n".join(WORDS).encode("ascii")).hexdigest()
    assert digest == "804f7ec2746873535bdabbd58743a666189b371e83d46e69085962c1a8e73926"
