// Recovery for pusher-js 8 and for Echo (`echo.connector.pusher`): after a reconnect the events that were missed come,
// in order and once, or the application is told that they do not.
//
// Owner: the page that called withRecovery(); one for each pusher-js client, until stop(). Holds one position for each
// channel that is subscribed. Servers and channels without history ignore the fields that are added.
import { systemClock, type Clock } from './clock.js';
import type { PusherLike } from './peers.js';
import { FrameTap } from './recovery/frames.js';
import {
  readPosition,
  Tracker,
  type Asked,
  type NotRecoveredReason,
  type Outcome,
  type Position,
  type Rewind,
} from './recovery/position.js';
import { readStore, writeStore, type PositionStorage } from './recovery/store.js';

export type { NotRecoveredReason, Position, PositionStorage, Rewind };

/** After a resubscribe whose missed events follow; `from` and `to` are places in the history. */
export interface Recovered {
  channel: string;
  from: Position;
  to: Position;
}

/** After a resubscribe whose missed events do not come: time to fetch the present state anew. */
export interface NotRecovered {
  channel: string;
  reason: NotRecoveredReason;
}

export interface RecoveryOptions {
  /** Which channels take part; all when left out. */
  channels?: (channel: string) => boolean;
  /** What to have of the past at the first subscribe, by channel. */
  rewind?: Record<string, Rewind> | ((channel: string) => Rewind | undefined);
  /** Where positions outlive a reload of the page, for example `sessionStorage`; nowhere when left out. */
  storage?: PositionStorage;
  /** The key in `storage`; "kilat:recovery:" and the app's key when left out. */
  storageKey?: string;
  /** Stored positions older than this are not used; 5 minutes when left out. */
  storageAgeMaxMs?: number;
  onRecovered?: (what: Recovered) => void;
  onNotRecovered?: (what: NotRecovered) => void;
  clock?: Clock;
}

/** Counted since the start. */
export interface RecoveryStats {
  recovered: number;
  notRecovered: number;
  /** Events that had been seen before and were kept back. */
  duplicates: number;
}

/** How many milliseconds pass at least between two writes to the storage. */
const kSaveEveryMs = 1000;
const kSubscribed = 'pusher_internal:subscription_succeeded';
const plugins = new WeakMap<PusherLike, Recovery>();

/** The plugin of one pusher-js client. Made by withRecovery(). */
export class Recovery {
  readonly stats: RecoveryStats = { recovered: 0, notRecovered: 0, duplicates: 0 };
  readonly #pusher: PusherLike;
  readonly #options: RecoveryOptions;
  readonly #clock: Clock;
  readonly #tap: FrameTap;
  readonly #trackers = new Map<string, Tracker>();
  /** Positions that await the first subscribe of their channel: out of the storage, or from setPosition(). */
  readonly #known: Map<string, Position>;
  readonly #key: string;
  #delivering: { channel: string; position: Position } | null = null;
  #saveTimer: unknown = null;
  readonly #undo: (() => void)[] = [];

  /** Use withRecovery(), which knows whether the client has a plugin already. */
  constructor(pusher: PusherLike, options: RecoveryOptions) {
    this.#pusher = pusher;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#key = options.storageKey ?? `kilat:recovery:${pusher.key}`;
    const { storage, storageAgeMaxMs = 300_000 } = options;
    this.#known = storage ? readStore(storage, this.#key, this.#clock.now(), storageAgeMaxMs) : new Map();
    this.#tap = new FrameTap(pusher, (text, deliver) => this.#onFrame(text, deliver));
    this.#wrapCalls();
    this.#watchPage();
  }

  /** The last event of a channel that the application has seen, or null when that is not known. */
  position(channel: string): Position | null {
    return this.#trackers.get(channel)?.position ?? this.#known.get(channel) ?? null;
  }

  /**
   * Says where the application is in a channel, because it kept that elsewhere.
   * @throws TypeError for what is no position, Error for a channel that is subscribed already.
   */
  setPosition(channel: string, position: Position): void {
    const valid = readPosition(position);
    if (!valid) throw new TypeError('a position is {epoch, offset}');
    if (this.#trackers.has(channel)) throw new Error(`${channel} is subscribed already`);
    this.#known.set(channel, valid);
  }

  /** While an event with an offset is handed on: its channel and place. */
  get delivering(): { channel: string; position: Position } | null {
    return this.#delivering;
  }

  /** Stores the positions now. Happens by itself each second in which something came, and when the page goes. */
  save(): void {
    const { storage } = this.#options;
    if (!storage) return;
    const now = this.#clock.now();
    const positions = new Map(this.#known);
    for (const [channel, tracker] of this.#trackers) {
      tracker.settle(now);
      if (tracker.position) positions.set(channel, tracker.position);
    }
    writeStore(storage, this.#key, now, positions);
  }

  /** Leaves the client as it was before. */
  stop(): void {
    if (this.#saveTimer !== null) this.#clock.clearTimeout(this.#saveTimer);
    this.#saveTimer = null;
    this.#tap.stop();
    for (const undo of this.#undo.splice(0).reverse()) undo();
    plugins.delete(this.#pusher);
  }

  /** Subscribes get more fields; channels that are left on purpose are forgotten. */
  #wrapCalls(): void {
    const pusher = this.#pusher;
    const { send_event, unsubscribe } = pusher;
    pusher.send_event = (event, data, channel) =>
      send_event.call(pusher, event, event === 'pusher:subscribe' ? this.#withFields(data) : data, channel);
    pusher.unsubscribe = (name) => {
      unsubscribe.call(pusher, name);
      // A subscription that is pending is only noted down to be left, and comes here again once it is complete.
      if (pusher.channel(name)) return;
      this.#trackers.delete(name);
      this.#known.delete(name);
      this.#saveSoon();
    };
    this.#undo.push(() => void Object.assign(pusher, { send_event, unsubscribe }));

    const settle = ({ previous }: { previous: string }): void => {
      if (previous !== 'connected') return;
      for (const tracker of this.#trackers.values()) tracker.settle(this.#clock.now());
    };
    pusher.connection.bind('state_change', settle);
    this.#undo.push(() => void pusher.connection.unbind('state_change', settle));
  }

  #watchPage(): void {
    if (!this.#options.storage || typeof globalThis.addEventListener !== 'function') return;
    const save = (): void => this.save();
    globalThis.addEventListener('pagehide', save);
    this.#undo.push(() => globalThis.removeEventListener('pagehide', save));
  }

  #withFields(data: { channel: string }): object {
    // Without a view of the frames, offsets would pass unseen: better not to ask, and to be a plain client.
    if (!this.#tap.attached || this.#options.channels?.(data.channel) === false) return data;
    return { ...data, ...this.#ask(data.channel) };
  }

  #ask(channel: string): Asked {
    let tracker = this.#trackers.get(channel);
    if (!tracker) {
      tracker = new Tracker(this.#known.get(channel) ?? null, this.#rewindOf(channel));
      this.#known.delete(channel);
      this.#trackers.set(channel, tracker);
    }
    return tracker.ask(this.#clock.now());
  }

  #rewindOf(channel: string): Rewind | undefined {
    const { rewind } = this.#options;
    if (typeof rewind === 'function') return rewind(channel);
    return rewind && Object.hasOwn(rewind, channel) ? rewind[channel] : undefined;
  }

  #onFrame(text: string, deliver: () => void): void {
    // Two words that a frame of interest must have; inside "data" the quotes are escaped. Spares the others a parse.
    if (!text.includes('"offset"') && !text.includes(kSubscribed)) return deliver();
    let frame: { event?: unknown; channel?: unknown; offset?: unknown; data?: unknown };
    try {
      frame = JSON.parse(text) as typeof frame;
    } catch {
      return deliver();
    }
    const channel = typeof frame.channel === 'string' ? frame.channel : '';
    const tracker = this.#trackers.get(channel);
    if (!tracker) return deliver();
    if (frame.event === kSubscribed) this.#onSubscribed(channel, tracker, frame.data, deliver);
    else if (isOffset(frame.offset)) this.#onEvent(channel, tracker, frame.offset, deliver);
    else deliver();
  }

  #onSubscribed(channel: string, tracker: Tracker, data: unknown, deliver: () => void): void {
    let fields = data;
    try {
      if (typeof data === 'string') fields = JSON.parse(data);
    } catch {
      // Not an answer that says anything of positions.
    }
    const outcome = tracker.answered(fields, this.#clock.now());
    this.#saveSoon();
    try {
      deliver();
    } finally {
      this.#announce(channel, outcome);
    }
  }

  #onEvent(channel: string, tracker: Tracker, offset: number, deliver: () => void): void {
    const before = tracker.position;
    const verdict = tracker.judge(offset, this.#clock.now());
    if (verdict === 'duplicate') {
      this.stats.duplicates++;
      return;
    }
    if (verdict === 'restarted' && before) {
      this.#announce(channel, { kind: 'not_recovered', from: before, reason: 'history_epoch' });
    }
    const position = tracker.placeOf(offset);
    this.#delivering = position && { channel, position };
    try {
      deliver();
    } finally {
      // Also when a handler threw: the application had its chance, and would not want the event a second time.
      this.#delivering = null;
      tracker.seen(offset, this.#clock.now());
      this.#saveSoon();
    }
  }

  #announce(channel: string, outcome: Outcome): void {
    if (outcome.kind === 'started') return;
    if (outcome.kind === 'recovered') {
      this.stats.recovered++;
      const what: Recovered = { channel, from: outcome.from, to: outcome.to };
      this.#emit('kilat:recovered', channel, what);
      this.#options.onRecovered?.(what);
    } else {
      this.stats.notRecovered++;
      const what: NotRecovered = { channel, reason: outcome.reason };
      this.#emit('kilat:not_recovered', channel, what);
      this.#options.onNotRecovered?.(what);
    }
  }

  /** As pusher-js does with events of the server: to the channel, and to the client as a whole. */
  #emit(event: string, channel: string, what: object): void {
    this.#pusher.channel(channel)?.emit(event, what);
    (this.#pusher as { global_emitter?: { emit(event: string, data: unknown): unknown } }).global_emitter?.emit(event, what);
  }

  #saveSoon(): void {
    if (!this.#options.storage || this.#saveTimer !== null) return;
    this.#saveTimer = this.#clock.setTimeout(() => {
      this.#saveTimer = null;
      this.save();
    }, kSaveEveryMs);
  }
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/**
 * Has a pusher-js 8 client ask for positions, and for what it missed when it comes back.
 *
 * Call it right after `new Pusher(…)`: a channel that was subscribed before takes part from its next subscribe on. A
 * second call for the same client returns the first plugin. Channels and the client emit `kilat:recovered`
 * ({@link Recovered}) and `kilat:not_recovered` ({@link NotRecovered}), after `pusher:subscription_succeeded` and before
 * the missed events.
 */
export function withRecovery(pusher: PusherLike, options: RecoveryOptions = {}): Recovery {
  let plugin = plugins.get(pusher);
  if (!plugin) {
    plugin = new Recovery(pusher, options);
    plugins.set(pusher, plugin);
  }
  return plugin;
}
