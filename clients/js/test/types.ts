// Compiled, never run: the real clients fit what the package asks for, and what it gives fits its use.
import Echo from 'laravel-echo';
import Pusher from 'pusher-js';
import { io } from 'socket.io-client';

import {
  connectionStatus,
  LiveSeries,
  pusherAdapter,
  sharedConnection,
  socketAdapter,
  withRecovery,
  type ConnectionSnapshot,
  type Position,
} from 'kilat-js';
import { withRecovery as alone } from 'kilat-js/recovery';

const pusher = new Pusher('key', { cluster: '' });
const recovery = withRecovery(pusher, { rewind: { news: { count: 10 }, log: { seconds: 30 } }, storage: sessionStorage });
export const position: Position | null = recovery.position('news');
alone(pusher, { onNotRecovered: ({ reason }) => console.log(reason === 'history_expired', reason) });

const echo = new Echo({ broadcaster: 'reverb', Pusher, key: 'key', wsHost: 'localhost' });
withRecovery(echo.connector.pusher);

export const snapshots: ConnectionSnapshot[] = [connectionStatus(pusher).current(), connectionStatus(io('http://localhost')).current()];

const shared = sharedConnection({
  name: 'app',
  adapter: pusherAdapter(() => new Pusher('key', { cluster: '' }), { recovery: (client) => withRecovery(client) }),
});
shared.subscribe('private-a').bind('e', (data: { n: number }) => data.n).trigger('client-e', { n: 1 });

const socket = sharedConnection({ name: 'noc', adapter: socketAdapter(() => io('http://localhost')) });
socket.on('alert', (level: number) => level).emit('subscribe', 'noc', (answer: { ok: boolean }) => answer.ok);

new LiveSeries({ fold: (name) => (name === 'peak' ? 'max' : 'average'), draw: (changed, series) => [...changed].map((name) => series.points(name)) });

// @ts-expect-error a fold that there is not
new LiveSeries({ fold: 'median' });
// @ts-expect-error neither a pusher-js client nor a socket
connectionStatus({});
// @ts-expect-error a rewind is by count or by seconds
withRecovery(pusher, { rewind: { news: { minutes: 1 } } });
