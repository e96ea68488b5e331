// Positions over a reload of the page: one entry of a Storage, for as many channels as fit its bound.
import { readPosition, type Position } from './position.js';

/** The part of the Web Storage interface that is used. */
export type PositionStorage = Pick<Storage, 'getItem' | 'setItem'>;

/** The newest channels are kept, so that an entry stays below some 20 KiB. */
const kChannelsMax = 200;

/** Reads what `write` has written; whatever is older than `ageMaxMs`, or not readable, counts as nothing. */
export function readStore(storage: PositionStorage, key: string, now: number, ageMaxMs: number): Map<string, Position> {
  const positions = new Map<string, Position>();
  try {
    const { at, channels } = JSON.parse(storage.getItem(key) ?? 'null') as { at: number; channels: [string, unknown][] };
    if (!(now - at <= ageMaxMs)) return positions;
    for (const [channel, value] of channels.slice(-kChannelsMax)) {
      const position = readPosition(value);
      if (position && typeof channel === 'string') positions.set(channel, position);
    }
  } catch {
    // Nothing stored, no permission to read it, or somebody else's text: the page begins anew.
  }
  return positions;
}

/** Stores the positions; the last ones of the map count most. */
export function writeStore(
  storage: PositionStorage,
  key: string,
  now: number,
  positions: Iterable<[string, Position]>,
): void {
  const channels = [...positions].slice(-kChannelsMax);
  try {
    storage.setItem(key, JSON.stringify({ at: now, channels }));
  } catch {
    // A full or forbidden storage costs the recovery over a reload, nothing else.
  }
}
