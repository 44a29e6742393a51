"""Where a picture takes place, by name: the painters of all settings.

Each takes a canvas that is still empty, moods and an hour, and returns the height of the ground to stand on.
"""

from bam_engine.demo.art import landscapes, rooms
from bam_engine.demo.art.grounds import Painter

SETTINGS: dict[str, Painter] = {
    "backdrop": rooms.backdrop,
    "room": rooms.room,
    "meadow": landscapes.meadow,
    "sky": landscapes.sky,
    "mountains": landscapes.mountains,
    "sea": landscapes.sea,
    "desert": landscapes.desert,
    "snow": landscapes.snow,
    "street": landscapes.street,
    "underwater": landscapes.underwater,
    "space": landscapes.space,
}
