// Real pusher-js clients against a server on this machine.
// Owner: the test, which ends them with disconnectAll().
import { createRequire } from 'node:module';

import { eventually } from './wait.mjs';

export const Pusher = createRequire(import.meta.url)('pusher-js');

const clients = new Set();

export function pusherClient(port, options = {}) {
  const { key = 'app-key', ...rest } = options;
  const pusher = new Pusher(key, {
    cluster: '',
    wsHost: '127.0.0.1',
    wsPort: port,
    forceTLS: false,
    enabledTransports: ['ws'],
    enableStats: false,
    channelAuthorization: {
      customHandler: ({ channelName }, callback) =>
        callback(null, {
          auth: 'app-key:signature',
          ...(channelName.startsWith('presence-') ? { channel_data: JSON.stringify({ user_id: 'u1', user_info: { name: 'Ada' } }) } : {}),
        }),
    },
    ...rest,
  });
  clients.add(pusher);
  return pusher;
}

export function disconnectAll() {
  for (const pusher of clients) pusher.disconnect();
  clients.clear();
}

/** Resolves once the client is connected, with a socket other than `but`. */
export const connected = (pusher, but) =>
  eventually(() => pusher.connection.state === 'connected' && pusher.connection.socket_id !== but, 'a connection');

/** Notes everything that a channel emits, in order, as [event, data]. */
export function record(channel) {
  const seen = [];
  channel.bind_global((event, data) => seen.push([event, data]));
  return seen;
}

/** The numbers in the events of this name. */
export const numbers = (seen, event = 'e') => seen.filter(([name]) => name === event).map(([, data]) => data.n);
