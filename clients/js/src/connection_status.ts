// The state of a connection in the words of a dashboard, for pusher-js and socket.io-client alike, with one way to
// reconnect for both: the peer's own is switched off while a status is attached.
//
// Owner: the page; one for each client, until stop(). Holds three timers at most.
import { systemClock, type Clock } from './clock.js';
import { Listeners } from './listeners.js';
import type { PusherLike, SocketLike } from './peers.js';
import { PusherLink } from './status/pusher_link.js';
import { SocketLink } from './status/socket_link.js';

/**
 * - disconnected: not started, or ended by the page.
 * - connecting: an attempt is under way.
 * - connected.
 * - error: the connection was lost, or an attempt failed; the next one has its time.
 * - failed: given up, after all attempts or because the server refused; retry() begins anew.
 */
export type ConnectionState = 'disconnected' | 'connecting' | 'connected' | 'error' | 'failed';

/** A picture of one moment; the same object until something in it changes. */
export interface ConnectionSnapshot {
  readonly state: ConnectionState;
  /** Connected, and something was heard within two heartbeats. */
  readonly healthy: boolean;
  /** Attempts to come back since the connection was lost, the present or next one included; 0 while connected. */
  readonly attempt: number;
  /** When the next attempt will be, in milliseconds since 1970; null when none is due. */
  readonly nextAttemptAt: number | null;
  /** What went wrong last; null while connected. */
  readonly error: string | null;
}

export interface ConnectionStatusOptions {
  /** The first pause before an attempt, which doubles each time; 1000 when left out. */
  delayMs?: number;
  /** The longest pause; 30,000 when left out. */
  delayMaxMs?: number;
  /** Attempts before giving up; 10 when left out. */
  attemptsMax?: number;
  /** An attempt that takes longer has failed; 20,000 when left out. */
  attemptTimeoutMs?: number;
  /** A connection that lasted less counts as a failed attempt; 5000 when left out. */
  stableMs?: number;
  /** Pauses vary by this share in both directions, so that many pages do not come back at once; 0.1 when left out. */
  jitter?: number;
  /** 30,000 when left out. */
  heartbeatMs?: number;
  clock?: Clock;
  /** From 0 up to 1; `Math.random` when left out. */
  random?: () => number;
}

/** What a link tells of its client. */
export interface LinkEvents {
  opening(): void;
  up(): void;
  /** The present attempt looks hopeless: it has so much time left at most. */
  hurry(ms: number, error: string): void;
  /** Lost, or an attempt failed. `final`: the server does not want this client, so there is no point in trying. */
  down(error: string, final: boolean): void;
  /** The page ended it. */
  ended(): void;
  heard(): void;
}

/** One client of either kind. */
export interface Link {
  /** Reports from now on, beginning with the present state. */
  start(events: LinkEvents): void;
  /** Reports no more, and gives the client back its own way to reconnect. */
  stop(): void;
  open(): void;
  /** Ends an attempt, without a report. */
  abort(): void;
  /** Sends a sign of life; `quiet` asks the server for one as well. */
  heartbeat(now: number, quiet: boolean): void;
}

const kIdle: ConnectionSnapshot = { state: 'disconnected', healthy: false, attempt: 0, nextAttemptAt: null, error: null };

/** Made by connectionStatus(). */
export class ConnectionStatus {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #settings: Required<Omit<ConnectionStatusOptions, 'clock'>>;
  readonly #listeners = new Listeners<ConnectionSnapshot>();
  #snapshot = kIdle;
  #attempts = 0;
  #connectedAt = 0;
  #heardAt = 0;
  /** The next attempt, or the end of the present one. */
  #attemptTimer: unknown = null;
  #attemptEndsAt = 0;
  #heartbeatTimer: unknown = null;
  #healthTimer: unknown = null;
  readonly #onOnline = (): void => {
    if (this.#snapshot.state === 'error') this.#open();
  };

  /** Use connectionStatus(). */
  constructor(link: Link, options: ConnectionStatusOptions) {
    const { clock = systemClock, ...settings } = options;
    this.#link = link;
    this.#clock = clock;
    this.#settings = {
      delayMs: 1000, delayMaxMs: 30_000, attemptsMax: 10, attemptTimeoutMs: 20_000, stableMs: 5000, jitter: 0.1,
      heartbeatMs: 30_000, random: Math.random, ...settings,
    };
    link.start({
      opening: () => this.#opening(),
      hurry: (ms, error) => this.#hurry(ms, error),
      up: () => this.#up(),
      down: (error, final) => this.#down(error, final),
      ended: () => this.#ended(),
      heard: () => this.#heard(),
    });
    globalThis.addEventListener?.('online', this.#onOnline);
  }

  /** The present state. As `subscribe`, bound to the object: `useSyncExternalStore(status.subscribe, status.current)`. */
  readonly current = (): ConnectionSnapshot => this.#snapshot;

  /** Calls back at every change from now on; returns the way to end that. */
  readonly subscribe = (callback: (snapshot: ConnectionSnapshot) => void): (() => void) => this.#listeners.add(callback);

  /** When something was last heard of the server, in milliseconds since 1970; null when never. */
  get heardAt(): number | null {
    return this.#heardAt === 0 ? null : this.#heardAt;
  }

  /** Tries at once, with all attempts ahead, unless connected. */
  retry(): void {
    if (this.#snapshot.state === 'connected') return;
    this.#attempts = 0;
    if (this.#snapshot.state === 'connecting') this.#link.abort();
    this.#open();
  }

  /** Ends the watch. The connection stays as it is, and the client reconnects in its own way again. */
  stop(): void {
    globalThis.removeEventListener?.('online', this.#onOnline);
    this.#clearTimers();
    this.#link.stop();
    this.#listeners.clear();
  }

  #set(change: Partial<ConnectionSnapshot>): void {
    const next = { ...this.#snapshot, ...change };
    const keys = Object.keys(next) as (keyof ConnectionSnapshot)[];
    if (keys.every((key) => next[key] === this.#snapshot[key])) return;
    this.#snapshot = next;
    this.#listeners.call(next);
  }

  #open(): void {
    this.#opening();
    this.#link.open();
  }

  #opening(): void {
    this.#clearTimers();
    this.#endAttemptIn(this.#settings.attemptTimeoutMs, 'timeout');
    this.#set({ state: 'connecting', healthy: false, attempt: this.#attempts, nextAttemptAt: null });
  }

  #endAttemptIn(ms: number, error: string): void {
    if (this.#attemptTimer !== null) this.#clock.clearTimeout(this.#attemptTimer);
    this.#attemptEndsAt = this.#clock.now() + ms;
    this.#attemptTimer = this.#clock.setTimeout(() => {
      this.#link.abort();
      this.#down(error, false);
    }, ms);
  }

  #hurry(ms: number, error: string): void {
    if (this.#snapshot.state !== 'connecting' || this.#clock.now() + ms >= this.#attemptEndsAt) return;
    this.#endAttemptIn(ms, error);
  }

  #up(): void {
    this.#clearTimers();
    this.#connectedAt = this.#clock.now();
    this.#heardAt = this.#connectedAt;
    this.#beatLater();
    this.#watchHealth(2 * this.#settings.heartbeatMs);
    this.#set({ state: 'connected', healthy: true, attempt: 0, nextAttemptAt: null, error: null });
  }

  #down(error: string, final: boolean): void {
    const { attemptsMax, delayMs, delayMaxMs, jitter, random, stableMs } = this.#settings;
    const wasUp = this.#snapshot.state === 'connected';
    this.#clearTimers();
    if (wasUp && this.#clock.now() - this.#connectedAt >= stableMs) this.#attempts = 0;
    if (final || this.#attempts >= attemptsMax) {
      this.#set({ state: 'failed', healthy: false, attempt: this.#attempts, nextAttemptAt: null, error });
      return;
    }
    const pause = Math.min(delayMs * 2 ** this.#attempts, delayMaxMs) * (1 + jitter * (2 * random() - 1));
    this.#attempts++;
    this.#attemptTimer = this.#clock.setTimeout(() => this.#open(), pause);
    const nextAttemptAt = this.#clock.now() + pause;
    this.#set({ state: 'error', healthy: false, attempt: this.#attempts, nextAttemptAt, error });
  }

  #ended(): void {
    this.#clearTimers();
    this.#attempts = 0;
    this.#set(kIdle);
  }

  #heard(): void {
    this.#heardAt = this.#clock.now();
    if (this.#snapshot.state === 'connected' && !this.#snapshot.healthy) {
      this.#watchHealth(2 * this.#settings.heartbeatMs);
      this.#set({ healthy: true });
    }
  }

  #beatLater(): void {
    this.#heartbeatTimer = this.#clock.setTimeout(() => {
      const now = this.#clock.now();
      this.#beatLater();
      this.#link.heartbeat(now, now - this.#heardAt >= this.#settings.heartbeatMs);
    }, this.#settings.heartbeatMs);
  }

  /** One timer however much is heard: when it is due, it is set anew for what is left. */
  #watchHealth(ms: number): void {
    if (this.#healthTimer !== null) this.#clock.clearTimeout(this.#healthTimer);
    this.#healthTimer = this.#clock.setTimeout(() => {
      this.#healthTimer = null;
      const left = this.#heardAt + 2 * this.#settings.heartbeatMs - this.#clock.now();
      if (left >= 0) this.#watchHealth(left + 1);
      else this.#set({ healthy: false });
    }, ms);
  }

  #clearTimers(): void {
    for (const timer of [this.#attemptTimer, this.#heartbeatTimer, this.#healthTimer]) {
      if (timer !== null) this.#clock.clearTimeout(timer);
    }
    this.#attemptTimer = this.#heartbeatTimer = this.#healthTimer = null;
  }
}

/**
 * Watches a pusher-js client or a socket.io-client socket, and reconnects it. Call it right after making the client;
 * one status for each client.
 */
export function connectionStatus(client: PusherLike | SocketLike, options: ConnectionStatusOptions = {}): ConnectionStatus {
  return new ConnectionStatus('connection' in client ? new PusherLink(client) : new SocketLink(client), options);
}
