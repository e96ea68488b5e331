// The connection to the server, through the stock laravel-echo and pusher-js.
//
// pusher-js waits 15 s and more between its own attempts while a server refuses connections. Somebody who looks at
// a dashboard should not, so this class keeps its own clock: it tells the client to try again after 1 s, doubling
// to 10 s. Each attempt starts with disconnect(), which ends whatever the client itself has in flight.

import Echo from 'laravel-echo';
import Pusher from 'pusher-js';

import { attemptWindow } from './backoff';
import type { LiveConfig } from './config';

export type Phase = 'connecting' | 'connected' | 'lost' | 'refused';

export interface Status {
  phase: Phase;
  /** Attempts since the last connection, from 1; 0 while connected. */
  attempt: number;
  /** What the server or the client said went wrong; may be empty. */
  reason: string;
}

export interface Listener {
  status(status: Status): void;
  opened(config: LiveConfig): void;
  event(payload: unknown): void;
}

export class Feed {
  private echo: Echo<'reverb'> | null = null;
  private phase: Phase = 'connecting';
  private attempt = 1;
  private reason = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** True while this class itself disconnects: the client reports that like any other disconnection. */
  private restarting = false;
  private opening = false;

  constructor(
    private readonly load: () => Promise<LiveConfig>,
    private readonly listener: Listener,
  ) {}

  /** Loads the configuration and connects. May be called again: the old connection is given up first. */
  async open(): Promise<void> {
    if (this.opening) return;
    this.opening = true;
    this.close();
    try {
      const config = await this.load();
      this.listener.opened(config);
      this.connect(config);
    } catch (error) {
      this.reason = error instanceof Error ? error.message : String(error);
    } finally {
      this.opening = false;
    }
    this.arm();
  }

  /** Tries again at once, unless there is nothing to mend. */
  retryNow(): void {
    if (this.phase !== 'connected') this.tryAgain();
  }

  private connect(config: LiveConfig): void {
    this.echo = new Echo<'reverb'>({
      broadcaster: 'reverb',
      Pusher,
      key: config.key,
      wsHost: config.host,
      wsPort: config.port,
      wssPort: config.port,
      wsPath: config.pathPrefix,
      forceTLS: config.secure,
      enabledTransports: ['ws', 'wss'],
      enableStats: false,
    });
    const { connection } = this.echo.connector.pusher;
    connection.bind('connected', () => this.set('connected', 0));
    // The first sign of a lost connection: the state changes only when the client begins its next attempt.
    connection.bind('connecting_in', () => this.lost());
    connection.bind('connecting', () => this.lost());
    connection.bind('unavailable', () => this.lost());
    connection.bind('error', (error: unknown) => {
      this.reason = describe(error);
    });
    connection.bind('disconnected', () => this.refused());
    connection.bind('failed', () => this.refused());
    this.echo.channel(config.channel).listen(`.${config.event}`, (payload: unknown) => this.listener.event(payload));
  }

  private close(): void {
    this.restarting = true;
    this.echo?.disconnect();
    this.restarting = false;
    this.echo = null;
  }

  private lost(): void {
    if (this.phase !== 'connected') return;
    this.set('lost', 1);
    this.arm();
  }

  /** The server said that it will not have this client, or the client cannot connect at all: its settings are stale. */
  private refused(): void {
    if (this.restarting) return;
    this.set('refused', Math.max(1, this.attempt));
    this.arm();
  }

  private arm(): void {
    clearTimeout(this.timer);
    if (this.phase === 'connected') return;
    this.timer = setTimeout(() => this.tryAgain(), attemptWindow(Math.max(1, this.attempt), Math.random()));
  }

  private tryAgain(): void {
    const { phase } = this;
    this.set(phase, this.attempt + 1);
    // A refusal is not mended by asking the same again, and a server that restarted may have another key: both
    // need the configuration anew. The request is cheap and fails fast when nobody is there.
    if (phase === 'refused' || this.echo === null) {
      void this.open();
      return;
    }
    this.restarting = true;
    this.echo.connector.pusher.disconnect();
    this.echo.connector.pusher.connect();
    this.restarting = false;
    this.arm();
  }

  private set(phase: Phase, attempt: number): void {
    this.phase = phase;
    this.attempt = attempt;
    if (phase === 'connected') {
      this.reason = '';
      clearTimeout(this.timer);
    }
    this.listener.status({ phase, attempt, reason: this.reason });
  }
}

function describe(error: unknown): string {
  const data = (error as { error?: { data?: { code?: unknown; message?: unknown } } } | null)?.error?.data;
  const message = typeof data?.message === 'string' ? data.message : '';
  return typeof data?.code === 'number' ? `${message} (${data.code})`.trim() : message;
}
