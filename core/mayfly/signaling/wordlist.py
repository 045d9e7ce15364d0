"""The 256 verification words, in the order of the bytes that they stand for. Part of the protocol: they never change.

Common English words of four to eight letters, chosen to be told apart by ear and in writing: no two share their first
four letters or their Soundex code, none becomes another by two changed letters, and none has a homophone.
"""

from __future__ import annotations

_TEXT = """
    acorn album almond amber anchor animal ankle apricot arctic arrow artist atlas autumn avocado bamboo banana barrel
    basket bicycle blossom bottle bracelet bridge bronze buffalo bundle butter cactus camera captain carbon carpet
    castle cherry chimney cinema clock cobalt coconut coffee comet compass copper cotton cradle crayon crystal
    cucumber cushion cyclone daisy dancer diamond doctor dolphin domino double drawer drum eagle echo eclipse editor
    elbow elephant emerald engine envelope explore factory falcon farmer feather fiction fiddle fisher flamingo flute
    folder forest fossil fountain fragile freedom frozen funnel gadget galaxy garden garlic gazelle giant ginger
    giraffe glacier glove goblet grammar granite guitar harvest hazel heaven helmet hexagon history holiday honey
    horizon iceberg iron island ivory jaguar jasmine jelly journal juice jupiter kangaroo keyboard kingdom kitchen
    kiwi ladder lantern laptop lemon leopard library logic lucky magnet mango marble meadow melody mercury midnight
    mirror mixture muffin museum mushroom music napkin nature nectar needle network notebook nutmeg oasis octopus
    office onion opera orange orbit orchard organ oval oyster ozone palace paper pasta pebble pelican pencil penguin
    perfume pickle picnic pillow pioneer planet plastic poem popcorn potato problem pudding pyramid quarter quiet
    raccoon radio railway rainbow reptile ribbon robot rocket ruby ruler safari salad sandal satin sausage scarf
    school scissors scooter settler shelter shuttle silver sketch smile snow spider sponge squirrel stadium sugar
    summer sunset tennis thunder tornado tortoise tower tractor traffic treasure triangle trumpet tulip turtle typhoon
    uniform utensil vacuum valley village vinegar violin visitor vitamin volcano vulture waffle wagon walnut weasel
    western whisper window wizard wolf wombat worker zero zigzag
"""

WORDS: tuple[str, ...] = tuple(_TEXT.split())
