// A pusher-js client as connectionStatus() sees it.
import type { Link, LinkEvents } from '../connection_status.js';
import type { PusherLike } from '../peers.js';

/** What is read of pusher-js beside its public methods; without it attempts end by their time-out only. */
interface Inside {
  config?: { enabledTransports?: string[]; useTLS?: boolean };
  timeline?: { error?: (event: object) => unknown };
}

/** Without TLS pusher-js tries `wss` two seconds after `ws`, where both are enabled. */
const kSecondTransportMs = 3000;

/** Takes the reconnecting away from pusher-js, whose pauses do not grow, by ending the client before it tries again. */
export class PusherLink implements Link {
  readonly #pusher: PusherLike;
  #events: LinkEvents | null = null;
  /** While we end the client ourselves, its report is not one of the page. */
  #aborting = false;
  /** The last error of this turn of the event loop: the reason of a close comes right before its state. */
  #error: string | null = null;
  #unwatchTimeline: () => void = () => {};

  constructor(pusher: PusherLike) {
    this.#pusher = pusher;
  }

  start(events: LinkEvents): void {
    this.#events = events;
    const { connection } = this.#pusher;
    connection.bind('state_change', this.#onState);
    connection.bind('connecting_in', this.#onRetry);
    connection.bind('error', this.#onError);
    connection.bind('message', this.#onMessage);
    this.#watchTimeline();
    if (connection.state === 'connected') events.up();
    else if (connection.state === 'connecting' || connection.state === 'unavailable') events.opening();
  }

  stop(): void {
    this.#events = null;
    this.#unwatchTimeline();
    const { connection } = this.#pusher;
    connection.unbind('state_change', this.#onState);
    connection.unbind('connecting_in', this.#onRetry);
    connection.unbind('error', this.#onError);
    connection.unbind('message', this.#onMessage);
  }

  open(): void {
    this.#pusher.connect();
  }

  abort(): void {
    this.#aborting = true;
    try {
      this.#pusher.disconnect();
    } finally {
      this.#aborting = false;
    }
  }

  heartbeat(now: number, quiet: boolean): void {
    const { connection } = this.#pusher;
    connection.send(JSON.stringify({ type: 'heartbeat', timestamp: now }));
    // The heartbeat has no answer. On quiet channels a ping has the server prove that it is there.
    if (quiet) connection.send_event('pusher:ping', {});
  }

  readonly #onState = ({ current }: { current: string }): void => {
    if (current === 'connecting') this.#events?.opening();
    else if (current === 'connected') this.#events?.up();
    else if (current === 'failed') this.#events?.down('not supported', true);
    else if (current === 'disconnected' && !this.#aborting) {
      // pusher-js ends itself when the server refuses it (close codes 4000 to 4099, and above 4299).
      if (this.#error) this.#events?.down(this.#error, true);
      else this.#events?.ended();
    }
  };

  /** The connection was lost or an attempt failed, and pusher-js is about to set the timer of its next one. */
  readonly #onRetry = (): void => {
    const error = this.#error ?? 'connection lost';
    queueMicrotask(() => {
      // Once it has ended, however that came, there is nothing more to lose.
      if (!this.#events || this.#pusher.connection.state === 'disconnected') return;
      this.abort();
      this.#events.down(error, false);
    });
  };

  /**
   * When a WebSocket cannot be opened, pusher-js waits for its own time-out (15 s and more) without a word, but for a
   * line in its timeline.
   */
  #watchTimeline(): void {
    const { timeline } = this.#pusher as Inside;
    const error = timeline?.error;
    if (!timeline || typeof error !== 'function') return;
    const own = (event: object): unknown => {
      // With the id of a transport: an error of that one.
      if ('cid' in event) this.#onTransportError();
      return error.call(timeline, event);
    };
    timeline.error = own;
    this.#unwatchTimeline = () => {
      if (timeline.error === own) timeline.error = error;
    };
  }

  #onTransportError(): void {
    const { enabledTransports, useTLS } = (this.#pusher as Inside).config ?? {};
    // Other transports may follow, at times of their own.
    if (!enabledTransports?.every((name) => name === 'ws' || name === 'wss')) return;
    const both = enabledTransports.length > 1 && !useTLS;
    this.#events?.hurry(both ? kSecondTransportMs : 0, 'cannot connect');
  }

  readonly #onError = (error: unknown): void => {
    this.#error = describe(error);
    queueMicrotask(() => {
      this.#error = null;
    });
  };

  readonly #onMessage = (): void => this.#events?.heard();
}

/** pusher-js wraps what the server says of a close once or twice. */
function describe(error: unknown): string {
  const seen = error as { type?: string; data?: { code?: number; message?: string }; error?: unknown } | null;
  if (seen?.data) {
    const { code, message } = seen.data;
    // A number alone (1006 when the server has died) says nothing to a person.
    return message ? [code, message].filter((part) => part !== undefined).join(' ') : `connection lost (${code ?? 'no code'})`;
  }
  if (seen?.error) return describe(seen.error);
  return seen?.type ?? 'connection error';
}
