// Where a client is in the history of one channel, and what it asks the server for. No I/O, no timers.
// Wire: docs/history.md, "Pusher clients".

/** A place in a channel's history. Offsets of different epochs say nothing of each other. */
export interface Position {
  /** Opaque, at most 32 characters; changes exactly when continuity was lost. */
  epoch: string;
  /** Of the last event seen; the first event of an epoch has 1. */
  offset: number;
}

/** What to have of a channel's past at the first subscribe: the last events, or those of the last seconds. */
export type Rewind = { count: number } | { seconds: number };

/** The fields that a subscribe carries beside its own. */
export type Asked = { recover: true | Position } | { rewind: Rewind };

/** Why the missed events did not come. All but `unsupported` are reasons of the server. */
export type NotRecoveredReason =
  | 'history_epoch'
  | 'history_expired'
  | 'history_too_long'
  | 'history_off'
  | 'unsupported'
  | (string & {});

/** What an answer to a subscribe meant. */
export type Outcome =
  | { kind: 'started' }
  | { kind: 'recovered'; from: Position; to: Position }
  | { kind: 'not_recovered'; from: Position; reason: NotRecoveredReason };

/** What to do with an event: hand it on, withhold it, or hand it on although the numbering began anew. */
export type Verdict = 'deliver' | 'duplicate' | 'restarted';

const kEpochLengthMax = 32;
/** A replay follows its answer at once. When nothing of it came for so long, there was nothing (more) to come. */
const kReplayQuietMs = 5000;

/** The position inside `value`, if it is one. */
export function readPosition(value: unknown): Position | null {
  if (typeof value !== 'object' || value === null) return null;
  const { epoch, offset } = value as Record<string, unknown>;
  if (typeof epoch !== 'string' || epoch === '' || epoch.length > kEpochLengthMax) return null;
  if (!Number.isSafeInteger(offset) || (offset as number) < 0) return null;
  return { epoch, offset: offset as number };
}

/** One channel's place. `now` is always in milliseconds. */
export class Tracker {
  /** The last event that the application has seen; null while that is not known. */
  position: Position | null = null;
  readonly #rewind: Rewind | undefined;
  #asked: Asked | null = null;
  #epoch: string | null = null;
  /** A replay is under way up to this offset; 0 when none is. */
  #replayTo = 0;
  #replayAt = 0;
  #answeredAt = 0;
  /** An event has come since the answer that was no part of a replay. */
  #live = false;
  #rewoundAt: number | null = null;

  constructor(position: Position | null, rewind: Rewind | undefined) {
    this.position = position;
    this.#rewind = rewind;
  }

  /** The fields for a subscribe that is about to be sent. */
  ask(now: number): Asked {
    this.#epoch = null;
    if (this.position) this.#asked = { recover: { ...this.position } };
    else if (this.#rewind && (this.#rewoundAt === null || this.#replayTo > 0)) {
      this.#asked = this.#askRewind(this.#rewind, now);
    } else this.#asked = { recover: true };
    this.#replayTo = 0;
    return this.#asked;
  }

  /** A first rewind that was cut off before its first event is asked for again, with the time that has gone by. */
  #askRewind(rewind: Rewind, now: number): Asked {
    this.#rewoundAt ??= now;
    if (!('seconds' in rewind)) return { rewind };
    return { rewind: { seconds: rewind.seconds + Math.ceil((now - this.#rewoundAt) / 1000) } };
  }

  /** The server has taken the subscription; `data` is what its answer carries. */
  answered(data: unknown, now: number): Outcome {
    const asked = this.#asked ?? { recover: true as const };
    const fields = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
    const given = readPosition(fields['position']);
    const from = 'recover' in asked && asked.recover !== true ? asked.recover : null;
    this.#epoch = given ? given.epoch : null;
    this.#replayTo = 0;
    this.#answeredAt = now;
    this.#live = false;
    if (from && given && fields['recovered'] === true && given.epoch === from.epoch) {
      this.#expectReplay(given.offset, now);
      return { kind: 'recovered', from, to: given };
    }
    if ('rewind' in asked && given) {
      this.position = null;
      this.#expectReplay(given.offset, now);
      return { kind: 'started' };
    }
    this.position = given;
    if (!from) return { kind: 'started' };
    const reason = fields['reason'];
    return { kind: 'not_recovered', from, reason: typeof reason === 'string' ? reason : 'unsupported' };
  }

  #expectReplay(to: number, now: number): void {
    this.#replayTo = to;
    this.#replayAt = now;
    if (to <= (this.position?.offset ?? 0)) this.#finishReplay();
  }

  /** The replay is over, so everything up to its end was seen, or was not meant for this client. */
  #finishReplay(): void {
    if (this.#epoch !== null) {
      this.position = { epoch: this.#epoch, offset: Math.max(this.#replayTo, this.position?.offset ?? 0) };
    }
    this.#replayTo = 0;
  }

  /** The place of an event with `offset`, or null when the epoch is not known. */
  placeOf(offset: number): Position | null {
    return this.#epoch === null ? null : { epoch: this.#epoch, offset };
  }

  /** Judges an event before it is handed on. */
  judge(offset: number, now: number): Verdict {
    const seen = this.position?.offset ?? 0;
    if (this.#epoch === null || offset > seen) return 'deliver';
    // A channel that counts from 1 again in the middle has lost its history, by a change of the server's rules;
    // withholding all that follows would be worse than an event that comes twice.
    const settled = this.#replayTo === 0 && (this.#live || now - this.#answeredAt > kReplayQuietMs);
    if (offset === 1 && seen > 1 && settled) {
      this.#epoch = null;
      this.position = null;
      return 'restarted';
    }
    return 'duplicate';
  }

  /** The application has had the event with this offset. */
  seen(offset: number, now: number): void {
    if (this.#epoch === null) return;
    this.position = { epoch: this.#epoch, offset };
    if (this.#replayTo === 0) {
      this.#live = true;
      return;
    }
    this.#replayAt = now;
    if (offset >= this.#replayTo) this.#finishReplay();
  }

  /** The connection is gone, or the place is about to be stored: decides whether a replay had come to its end. */
  settle(now: number): void {
    if (this.#replayTo > 0 && now - this.#replayAt > kReplayQuietMs) this.#finishReplay();
  }
}
