// The live connection: stock Laravel Echo over stock pusher-js, with what kilat-js adds: recovery of what was missed, and
// a state to show. One object for each login; a new one is made when that changes.
import Echo from 'laravel-echo';
import Pusher from 'pusher-js';
import { connectionStatus, withRecovery, type ConnectionSnapshot, type ConnectionStatus } from 'kilat-js';

import type { Config, Session } from './types.ts';

/** The server is frozen when it has said nothing for two of these. */
const kHeartbeatMs = 3000;

export interface LiveEvents {
  onState(state: ConnectionSnapshot): void;
  /** Of `rvm-status` and `private-admin-dashboard`. */
  onStatus(data: unknown, channel: string): void;
  onDashboard(data: unknown): void;
  onJoined(channel: string): void;
  onRefused(channel: string, status: number): void;
  onRecovered(channel: string, events: number): void;
  onNotRecovered(channel: string, reason: string): void;
  onExpiring(seconds: number): void;
  onError(text: string): void;
}

type ServerError = { error?: { data?: { code?: number | null; message?: string } } };

export class Live {
  readonly status: ConnectionStatus;
  readonly #echo: Echo<'reverb'>;

  constructor(config: Config, session: Session | null, events: LiveEvents) {
    const headers: Record<string, string> = session ? { Authorization: `Bearer ${session.token}` } : {};
    const secure = location.protocol === 'https:';
    const port = Number(location.port) || (secure ? 443 : 80);
    this.#echo = new Echo<'reverb'>({
      broadcaster: 'reverb',
      Pusher,
      key: config.key,
      wsHost: location.hostname,
      wsPort: port,
      wssPort: port,
      forceTLS: secure,
      enabledTransports: ['ws', 'wss'],
      disableStats: true,
      activityTimeout: 10_000,
      pongTimeout: 5000,
      authEndpoint: '/broadcasting/auth',
      csrfToken: config.csrf_token,
      auth: { headers },
      userAuthentication: { endpoint: '/pusher/user-auth', transport: 'ajax', headers },
    });
    const pusher = this.#echo.connector.pusher;
    withRecovery(pusher, {
      onRecovered: ({ channel, from, to }) => events.onRecovered(channel, to.offset - from.offset),
      onNotRecovered: ({ channel, reason }) => events.onNotRecovered(channel, reason),
    });
    this.status = connectionStatus(pusher, { heartbeatMs: kHeartbeatMs, attemptTimeoutMs: 10_000 });
    this.status.subscribe((state) => events.onState(state));
    events.onState(this.status.current());
    pusher.connection.bind('error', (error: ServerError) => {
      const { code, message } = error.error?.data ?? {};
      if (message) events.onError([code, message].filter(Boolean).join(' '));
    });
    pusher.bind('kilat:token_expiring', (data: { expires_in: number }) => events.onExpiring(data.expires_in));
    this.#join(session, events);
  }

  #join(session: Session | null, events: LiveEvents): void {
    this.#echo
      .channel('rvm-status')
      .listen('.rvm.status.updated', (data: unknown) => events.onStatus(data, 'rvm-status'))
      .subscribed(() => events.onJoined('rvm-status'))
      .error((error: { status?: number }) => events.onRefused('rvm-status', error.status ?? 0));
    if (!session) return;
    // The connection then ends with the token; a signature for a channel alone would outlive it.
    this.#echo.connector.pusher.signin();
    this.#echo
      .private('admin-dashboard')
      .listen('.rvm.status.updated', (data: unknown) => events.onStatus(data, 'admin-dashboard'))
      .listen('.dashboard.data.updated', (data: unknown) => events.onDashboard(data))
      .subscribed(() => events.onJoined('admin-dashboard'))
      .error((error: { status?: number }) => events.onRefused('admin-dashboard', error.status ?? 0));
  }

  close(): void {
    this.status.stop();
    this.#echo.disconnect();
  }
}
