"""Inventory rounds slot by slot (EPC Gen2 air interface 2.0.1, 6.3.2: sessions, slots, Query and its kin; annex D: Q).

Every random number is a hash of seed, round, tag and purpose, so that a tag that doesn't answer takes nothing from one
that does, and reads are the same however time is cut and whatever else a scene holds.
"""

# ruff: noqa: PLR0917 (a kernel takes its arrays one by one, in one order everywhere)

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulator.world.air import layout as L  # noqa: N812 (one letter keeps the column names readable in formulas)
from simulator.world.air.layout import Live, Plan, Told
from simulator.world.radio import layout as R  # noqa: N812 (as above)
from simulator.world.radio.channel import Channel
from simulator.world.radio.kernels import all_gains, closing_mps, observe, one_way_db, prepare

I32 = NDArray[np.int32]
F64 = NDArray[np.float64]
MASK = 0xFFFFFFFF
WAKES = 1
DRAWS_SLOT = 2
DECODES = 3
CAPTURED = 4
REPORTS = 5
LOSES = 6
WAKE_SCALE_DB = 0.25
"""How soft the threshold of a chip is: from a tenth to nine tenths in about 1 dB."""
DECODE_SCALE_DB = 0.5
RN16_EASE_DB = 1.5
"""An RN16 has no CRC and fewer bits to lose than an EPC."""
CAPTURE_DB = 5.0
"""How much stronger than all others together an answer must be to be understood half of the time."""
CAPTURE_SCALE_DB = 1.0
ALONE_DB = 300.0
"""Lead of an answer without any other."""
LOSES_DB = 1.0
"""Below its sensitivity by this a chip that woke loses its power, and with it its place in the round."""
LOST = 0.03
"""Share of EPCs that fail their CRC however loud they are [fitted to a recorded still tag, ECD data set]."""
SURE_DB = 4.0
"""Beyond this from a threshold nothing is drawn."""
SNR_DB = 5.0
"""What an answer needs above noise that comes from another reader."""
CHANNEL_KHZ = 500.0
APART = 3
REJECTION_DB = np.array([[20.0, 40.0, 60.0, 75.0], [45.0, 60.0, 75.0, 85.0]])
"""How far another reader's spectrum, after our filter, is below its carrier: on our channel, on the next ones, and
beyond; without and with a dense-reader mode, in which tags answer beside the readers' commands (Gen2 annex G)."""


@njit(cache=True)
def mix(x: int) -> int:
    """Scramble 32 bits; the factors stay below 2^31 so that nothing overflows 63 bits."""
    x ^= x >> 16
    x = (x * 0x21F0AAAD) & MASK
    x ^= x >> 15
    x = (x * 0x735A2D97) & MASK
    return x ^ (x >> 15)


@njit(cache=True)
def key_of(key: int, word: int) -> int:
    """Hash one more word into a key."""
    return mix((mix((key ^ word) & MASK) + (word >> 32) * 0x9E3779B1 + 0x632BE5AB) & MASK)


@njit(cache=True)
def unit(key: int, tag: int, purpose: int) -> float:
    """Return a number from 0 to below 1 that only this round, tag and purpose have."""
    return key_of(key_of(key, tag), purpose) / 4294967296.0


@njit(cache=True)
def passes(margin_db: float, scale_db: float, key: int, tag: int, purpose: int) -> bool:
    """Say whether a soft threshold is passed."""
    if margin_db > SURE_DB:
        return True
    if not margin_db > -SURE_DB:  # NaN doesn't pass
        return False
    return unit(key, tag, purpose) < 1.0 / (1.0 + math.exp(-margin_db / scale_db))


@njit(cache=True)
def khz_of(hops: L.Ints, count: int, dwell_us: int, offset_us: int, at_us: int) -> int:
    """Return the entry of a hop sequence that is in use at an instant."""
    return int(hops[(at_us - offset_us) // dwell_us % count])


@njit(cache=True)
def floor_of(plan: Plan, p: int, khz: float, at_us: int) -> float:
    """Return where half of all answers are lost, with what other readers put on the air now."""
    floor_dbm: float = plan.floor_dbm[p]
    dense = int(plan.dense[p])
    for m in range(len(plan.rival)):
        if not plan.running[plan.rival[m]]:
            continue
        other = khz_of(plan.rival_khz[m], plan.rival_times[m, 0], plan.rival_times[m, 1], plan.rival_times[m, 2], at_us)
        apart = min(int(abs(other - khz) / CHANNEL_KHZ + 0.5), APART)
        heard_dbm = plan.rival_dbm[m, plan.uses[p, L.ANTENNA]] - REJECTION_DB[dense, apart] + SNR_DB
        if heard_dbm > floor_dbm - 20.0:
            floor_dbm = 10.0 * math.log10(10.0 ** (floor_dbm / 10.0) + 10.0 ** (heard_dbm / 10.0))
    return floor_dbm


@njit(cache=True)
def is_b(live: Live, session: int, tag: int, at_us: int) -> bool:
    """Say whether a tag's inventoried flag is B."""
    if session == 0:
        return bool(live.flags[0, tag] == live.numbers[L.EPOCH])
    return bool(live.flags[session, tag] > at_us)


@njit(cache=True)
def turn_flag(live: Live, plan: Plan, session: int, tag: int, at_us: int, to_b: bool) -> None:  # noqa: FBT001
    """Invert the inventoried flag of a tag that was acknowledged."""
    if not to_b:
        live.flags[session, tag] = 0
    elif session == 0:
        live.flags[0, tag] = live.numbers[L.EPOCH]
    else:
        live.flags[session, tag] = at_us + plan.lasts_us[session, tag]
        live.numbers[L.LASTING] |= 1 << session


@njit(cache=True)
def hold_flags(told: Told, live: Live, plan: Plan, count: int, begin_us: int, end_us: int, focus: bool) -> None:  # noqa: FBT001
    """Power keeps the flags of S2 and S3 at B, and with TagFocus that of S1."""
    for session in range(1 if focus else 2, 4):
        if not live.numbers[L.LASTING] >> session & 1:
            continue
        for i in range(count):
            tag = told.tag[live.powered[i]]
            if live.flags[session, tag] > begin_us:
                until_us = end_us + plan.lasts_us[session, tag]
                live.flags[session, tag] = max(until_us, live.flags[session, tag])


@njit(cache=True)
def wake(told: Told, plan: Plan, live: Live, p: int, key: int, at_us: int) -> tuple[int, int]:
    """Find who has power, and who of these takes part: selected, and with its flag as the Query says."""
    powered = taking = 0
    gain_db = live.gain_db[plan.uses[p, L.ANTENNA]]
    session = plan.uses[p, L.SESSION]
    wanted = live.target[plan.uses[p, L.ANTENNA]] == 1
    for h in range(len(told.tag)):
        tag = told.tag[h]
        margin_db = plan.power_dbm[p] + gain_db[h] - told.sensitivity_dbm[h]
        if not margin_db > -SURE_DB:
            continue
        if not passes(margin_db, WAKE_SCALE_DB, key, tag, WAKES):
            continue
        live.powered[powered] = h
        powered += 1
        if plan.selected[p, tag] and is_b(live, session, tag, at_us) == wanted:
            live.taking_part[taking] = h
            live.draws[taking] = key_of(key_of(key, tag), DRAWS_SLOT)
            taking += 1
    return powered, taking


@njit(cache=True)
def deal(head: I32, after: I32, taking_part: I32, draws: L.Ints, taking: int, q: int, frame: int) -> None:
    """Let everyone who isn't read yet draw a slot of a new frame."""
    head[: 1 << q] = -1
    for i in range(taking):
        if taking_part[i] >= 0:
            slot = mix((draws[i] + frame * 0x61C88647) & MASK) >> (32 - q)
            after[i] = head[slot]
            head[slot] = i


@njit(cache=True)
def strongest(
    head: int, after: I32, taking_part: I32, gain_db: F64, sensitivity_dbm: F64, modulation_db: F64,
    power_dbm: float, loss_db: float,
) -> tuple[int, float, float]:  # fmt: skip
    """Hear all who answer in a slot: index of the strongest (-1: nobody), its level, and by how much it leads."""
    best = -1
    best_dbm = -ALONE_DB
    others_mw = 0.0
    i = head
    while i >= 0:
        h = taking_part[i]
        if not power_dbm + gain_db[h] - sensitivity_dbm[h] > -LOSES_DB:
            taking_part[i] = -1  # out of power: it waits for the next Query
        else:
            dbm = power_dbm + 2.0 * gain_db[h] - loss_db - modulation_db[h]
            if best >= 0:
                others_mw += 10.0 ** (min(dbm, best_dbm) / 10.0)
            if dbm > best_dbm:
                best, best_dbm = i, dbm
        i = after[i]
    lead_db = best_dbm - 10.0 * math.log10(others_mw) if others_mw > 0.0 else ALONE_DB
    return best, best_dbm, lead_db


@njit(cache=True)
def report(
    ch: Channel, told: Told, plan: Plan, live: Live, p: int, c: int, h: int, key: int, at_us: int, floor_dbm: float
) -> None:
    """Write down one read."""
    a = plan.uses[p, L.ANTENNA]
    tag = told.tag[h]
    gain_db, phase_rad = one_way_db(ch, a, h, at_us, c)
    if math.isinf(gain_db):  # gone while it answered
        gain_db = live.gain_db[a, h]
    closing = closing_mps(ch, a, h, at_us) if told.moves[h] else 0.0
    rssi, phase, doppler = observe(
        ch, a, c, live.numbers[L.HOP], key_of(key_of(key, tag), REPORTS), plan.power_dbm[p] - plan.loss_db[p], gain_db,
        phase_rad, closing, told.modulation_db[h], floor_dbm,
    )  # fmt: skip
    row = live.numbers[L.OUT]
    live.numbers[L.OUT] = row + 1
    out = live.out[row]
    out[L.R_AT] = at_us
    out[L.R_PORT] = plan.port[p]
    out[L.R_TAG] = tag
    out[L.R_RSSI] = rssi
    out[L.R_PHASE] = phase
    out[L.R_DOPPLER] = doppler
    out[L.R_CHANNEL] = c + 1


@njit(cache=True)
def inventory(
    told: Told, ch: Channel, plan: Plan, live: Live, p: int, c: int, taking: int, key: int, limit_us: int
) -> tuple[int, bool, bool]:
    """One round, frame by frame until one is clear: when it ended, whether it was complete, whether tags collided."""
    times = plan.timings[p]
    session = plan.uses[p, L.SESSION]
    a = plan.uses[p, L.ANTENNA]
    n = live.numbers
    head, after, taking_part, gain_db, moves = live.head, live.after, live.taking_part, live.gain_db[a], told.moves
    sensitivity_dbm, modulation_db, power_dbm, loss_db = (
        told.sensitivity_dbm,
        told.modulation_db,
        plan.power_dbm[p],
        plan.loss_db[p],
    )
    floor_dbm = floor_of(plan, p, plan.khz[c], n[L.NOW_US])
    to_b = live.target[a] == 0
    at_us = n[L.NOW_US] + times[L.SELECT_US] + times[L.QUERY_US]
    q_fp = live.q[a]
    q = int(q_fp + 0.5)
    frame = 0
    slot = 0
    unclear = False
    busy = False
    read = 0
    deal(head, after, taking_part, live.draws, taking, q, frame)
    while True:
        heard_us = at_us + times[L.T1_US]
        if heard_us + times[L.RN16_US] > limit_us:
            live.q[a] = q_fp
            return limit_us, False, busy
        i = head[slot]
        while i >= 0:
            if moves[taking_part[i]]:
                gain_db[taking_part[i]] = one_way_db(ch, a, taking_part[i], heard_us, c)[0]
            i = after[i]
        best, dbm, lead_db = strongest(
            head[slot], after, taking_part, gain_db, sensitivity_dbm, modulation_db, power_dbm, loss_db
        )
        if best < 0:
            n[L.EMPTIES] += 1
            at_us = heard_us + times[L.T3_US]
            q_fp = max(q_fp - min(max(0.8 / max(q, 1), 0.1), 0.5), 0.0)
        else:
            h = taking_part[best]
            tag = told.tag[h]
            slot_key = key_of(key, 16 * frame + 5)
            alone = lead_db >= ALONE_DB
            at_us = heard_us + times[L.RN16_US] + times[L.T2_US]
            understood = alone or passes(lead_db - CAPTURE_DB, CAPTURE_SCALE_DB, slot_key, tag, CAPTURED)
            if not understood:
                n[L.COLLISIONS] += 1
                busy = unclear = True
                q_fp = min(q_fp + min(max(0.8 / max(q, 1), 0.1), 0.5), float(L.LARGEST_Q))
            elif not passes(dbm - floor_dbm + RN16_EASE_DB, DECODE_SCALE_DB, slot_key, tag, DECODES + 8):
                n[L.GARBLED] += 1
                unclear = True
            else:
                unclear = unclear or not alone
                at_us += times[L.ACK_US] + times[L.T1_US] + times[L.REPLY_US]
                at_us += times[L.BYTE_NS] * plan.epc_bytes[tag] // 1000
                if at_us > limit_us:
                    live.q[a] = q_fp
                    return limit_us, False, busy
                lost = unit(slot_key, tag, LOSES) < LOST
                if not lost and passes(dbm - floor_dbm, DECODE_SCALE_DB, slot_key, tag, DECODES):
                    n[L.SINGLES] += 1
                    n[L.CAPTURES] += 0 if alone else 1
                    report(ch, told, plan, live, p, c, h, key, at_us, floor_dbm)
                    turn_flag(live, plan, session, tag, at_us, to_b)
                    taking_part[best] = -1
                    read += 1
                else:
                    n[L.GARBLED] += 1
                    unclear = True
                at_us += times[L.T2_US]
        slot += 1
        wanted_q = int(q_fp + 0.5)
        if slot < (1 << q) and wanted_q == q:
            at_us += times[L.REP_US]
            continue
        if slot == (1 << q) and not unclear:
            live.q[a] = math.log2(max(read, 1))
            return at_us, True, busy
        frame += 1
        slot = 0
        unclear = False
        q = wanted_q
        at_us += times[L.ADJUST_US]
        deal(head, after, taking_part, live.draws, taking, q, frame)


@njit(cache=True)
def tune(plan: Plan, live: Live, p: int) -> tuple[int, int]:
    """Go to the next antenna and the channel of the hour: its index and when it must be left."""
    n = live.numbers
    a = plan.uses[p, L.ANTENNA]
    hop = (n[L.NOW_US] - plan.offset_us) // plan.dwell_us
    limit_us = plan.offset_us + (hop + 1) * plan.dwell_us
    if hop != n[L.HOP] or a != n[L.ON_ANTENNA]:
        n[L.NOW_US] += (plan.settle_us if hop != n[L.HOP] else 0) + (plan.switch_us if a != n[L.ON_ANTENNA] else 0)
        n[L.EPOCH] += 1
        n[L.HOP] = hop
        n[L.ON_ANTENNA] = a
        if plan.uses[p, L.SESSION] == 0:
            live.target[a] = 0
    return int(plan.hops[hop % len(plan.hops)]), min(limit_us, n[L.NOW_US] + plan.turn_us)


@njit(cache=True)
def hear(ch: Channel, told: Told, live: Live, a: int, c: int, at_us: int) -> None:
    """Bring the gains of all holds to an instant; while nobody is about and no leaf turns, those of before hold."""
    prepare(ch, at_us)
    somebody = False
    for k in range(len(ch.carrier)):
        somebody |= ch.pose[k, R.P_THERE] != 0.0
    heard = live.heard[a]
    if (
        not somebody
        and heard[L.H_CHANNEL] == c
        and heard[L.H_LEAVES] == ch.now[R.N_LEAVES]
        and at_us < heard[L.H_UNTIL]
    ):
        return
    all_gains(ch, a, at_us, c, live.gain_db[a])
    heard[L.H_CHANNEL] = -1 if somebody else c
    heard[L.H_LEAVES] = ch.now[R.N_LEAVES]
    following = np.searchsorted(told.changes_us, at_us, side="right")
    heard[L.H_UNTIL] = told.changes_us[following]


@njit(cache=True)
def play(told: Told, ch: Channel, plan: Plan, live: Live, p: int, c: int, limit_us: int) -> None:
    """One turn of a port: a round, or what of it there is time for, and the reader's own pause."""
    n = live.numbers
    a = plan.uses[p, L.ANTENNA]
    begin_us = n[L.NOW_US]
    key = key_of(key_of(plan.seed, n[L.ROUND]), p)
    if plan.uses[p, L.SINGLE]:
        live.target[a] = 0  # single target asks for A, whatever a dual-target round before it had come to
    if live.q[a] < 0.0:
        live.q[a] = plan.first_q[p]
    hear(ch, told, live, a, c, begin_us)
    powered, taking = wake(told, plan, live, p, key, begin_us)
    end_us, complete, busy = inventory(told, ch, plan, live, p, c, taking, key, limit_us)
    focus = plan.uses[p, L.FOCUS] == 1
    if n[L.LASTING] >> (1 if focus else 2):
        hold_flags(told, live, plan, powered, begin_us, end_us, focus)
    if complete and not plan.uses[p, L.SINGLE]:
        live.target[a] = 1 - live.target[a]
    n[L.ROUND] += 1
    n[L.TURN] += 1
    n[L.NOW_US] = end_us + (plan.uses[p, L.IDLE_BUSY_US if busy else L.IDLE_US] if complete else 0)


@njit(cache=True)
def run(told: Told, ch: Channel, plan: Plan, live: Live, until_us: int) -> None:
    """Play every round that begins before `until_us`; FULL says that there was no more room for reads."""
    n = live.numbers
    n[L.FULL] = 0
    while n[L.NOW_US] < until_us:
        if n[L.OUT] + len(told.tag) > len(live.out):
            n[L.FULL] = 1
            return
        p = n[L.TURN] % len(plan.port)
        c, limit_us = tune(plan, live, p)
        times = plan.timings[p]
        if n[L.NOW_US] + times[L.SELECT_US] + times[L.QUERY_US] + times[L.T1_US] + times[L.RN16_US] >= limit_us:
            n[L.NOW_US] = max(limit_us, n[L.NOW_US] + 1)
            continue
        play(told, ch, plan, live, p, c, limit_us)
