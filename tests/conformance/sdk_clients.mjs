// The real npm clients, set up against a test server: pusher-js (its node build) and laravel-echo on top of it.
// Owner: the test, which ends them with disconnectAll(). Auth is signed in-process by the npm `pusher` package, as the
// customer's auth endpoint would do it.
import { createRequire } from 'node:module';

import { kWaitMs } from './harness.mjs';

const require = createRequire(import.meta.url);
const PusherJs = require('pusher-js');
const PusherHttp = require('pusher');

const open_clients = new Set();

/** 32 bytes in base64, for encrypted channels. */
export const kMasterKey = Buffer.alloc(32, 7).toString('base64');

/** The npm HTTP client with a master key for encrypted channels. */
export function encryptingApi(server, app = server.app) {
  return new PusherHttp({
    appId: app.id,
    key: app.key,
    secret: app.secret,
    host: server.host,
    port: String(server.port),
    useTLS: false,
    encryptionMasterKeyBase64: kMasterKey,
  });
}

function options_for(server, { app = server.app, member, user } = {}) {
  const api = encryptingApi(server, app);
  const answer = (callback, make) => {
    try {
      callback(null, make());
    } catch (error) {
      callback(error, null);
    }
  };
  return {
    cluster: 'mt1',
    wsHost: server.host,
    wsPort: server.port,
    wsPath: server.prefix,
    forceTLS: false,
    enabledTransports: ['ws'],
    enableStats: false,
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) =>
        answer(callback, () => {
          const data = channelName.startsWith('presence-') ? member : undefined;
          return api.authorizeChannel(socketId, channelName, data);
        }),
    },
    userAuthentication: {
      customHandler: ({ socketId }, callback) => answer(callback, () => api.authenticateUser(socketId, user)),
    },
  };
}

/** A pusher-js client. Options: app, key, member ({user_id, user_info}), user ({id, …} for signin()), extra. */
export function pusherJs(server, options = {}) {
  const app = options.app ?? server.app;
  const client = new PusherJs(options.key ?? app.key, { ...options_for(server, options), ...options.extra });
  client.states = [];
  client.connection.bind('state_change', ({ current }) => client.states.push(current));
  open_clients.add(client);
  return client;
}

/** A laravel-echo client with the broadcaster 'reverb' or 'pusher'. */
export async function echo(server, broadcaster, options = {}) {
  const { default: Echo } = await import('laravel-echo');
  const settings = { broadcaster, Pusher: PusherJs, key: server.app.key, ...options_for(server, options), ...options.extra };
  // What is set to undefined is left to Echo's defaults.
  const client = new Echo(Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)));
  open_clients.add(client);
  return client;
}

export function disconnectAll() {
  for (const client of open_clients) client.disconnect();
  open_clients.clear();
}

/** Resolves with the first argument of the next `event` of anything with bind() (a channel, a connection, a user). */
export function once(emitter, event, what = event) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${what}`)), kWaitMs);
    const take = (...values) => {
      clearTimeout(timer);
      emitter.unbind(event, take);
      resolve(values[0]);
    };
    emitter.bind(event, take);
  });
}

/** Resolves when a pusher-js client is connected. */
export async function connected(client) {
  if (client.connection.state !== 'connected') await once(client.connection, 'connected');
  return client;
}

/** Subscribes with pusher-js and resolves with [channel, data of the success]. */
export async function subscribed(client, name) {
  const channel = client.subscribe(name);
  const data = await once(channel, 'pusher:subscription_succeeded', `success of ${name}`);
  return [channel, data];
}
