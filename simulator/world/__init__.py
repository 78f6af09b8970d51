"""Seeded world: a scenario becomes arrays of what stands, moves and lies, and readers hear it.

`schedule` and `traffic` make walks in time order, on `paths`, with loads by `carry`; `movements` tells them to `doors`,
`sensors` and `tracks` (the truth, by `truth`) and keeps what lies in between; `stands` places what doesn't move;
`scenes` cuts all that into a reader's `scene`. `air` plays inventory rounds over a scene with the links of `radio`.
`world` puts them together as a source; `crowd` is a source without radio.
"""
