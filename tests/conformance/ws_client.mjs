// A recording Pusher client over the `ws` package: keeps every frame in order and lets a test wait for one of them.
// Owner: the server object of the test, which drops all clients when it stops. Bounded by the length of a test.
import assert from 'node:assert/strict';
import WebSocket from 'ws';

import { channelAuth, signinAuth } from './http_client.mjs';
import { kWaitMs, Waiters } from './wait.mjs';

const kInternalWithString = new Set([
  'pusher:connection_established',
  'pusher_internal:subscription_succeeded',
  'pusher_internal:member_added',
  'pusher_internal:member_removed',
  'pusher_internal:subscription_count',
  'pusher_internal:watchlist_events',
  'pusher:cache_miss',
]);

function presence_faults(data) {
  const { ids, hash, count } = data.presence ?? {};
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) return ['presence ids are not all strings'];
  if (typeof hash !== 'object' || hash === null || Array.isArray(hash)) return ['presence hash is not an object'];
  if (count !== ids.length || Object.keys(hash).length !== count) return ['presence count, ids and hash disagree'];
  return [];
}

/** What a statically typed SDK (Java, Swift, .NET) could not parse in this frame: the string rules of the protocol. */
export function frameFaults(frame) {
  const faults = [];
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return ['not an object'];
  if (typeof frame.event !== 'string' || frame.event === '') faults.push('event is not a string');
  if ('channel' in frame && typeof frame.channel !== 'string') faults.push('channel is not a string');
  if ('user_id' in frame && typeof frame.user_id !== 'string') faults.push('user_id is not a string');
  if (kInternalWithString.has(frame.event)) {
    if (typeof frame.data !== 'string') return [...faults, `data of ${frame.event} is not a string`];
    const data = JSON.parse(frame.data);
    if ('user_id' in data && typeof data.user_id !== 'string') faults.push('user_id in data is not a string');
    if ('presence' in data) faults.push(...presence_faults(data));
  } else if (frame.event === 'pusher:error' || frame.event === 'pusher:subscription_error') {
    const { data } = frame;
    if (typeof data !== 'object' || data === null || Array.isArray(data)) faults.push('error data is not an object');
    else if (typeof (data.message ?? data.error) !== 'string') faults.push('error without a text');
  } else if (!frame.event?.startsWith('pusher') && !frame.event?.startsWith('client-')) {
    if (typeof frame.data !== 'string') faults.push('data of an API event is not a string');
  }
  return faults;
}

/** One connection. `frames` holds every text frame as an object, `raw` the same as text, both in order. */
export class Client {
  constructor(server, socket) {
    this.server = server;
    this.app = server.app;
    this.socket = socket;
    this.frames = [];
    this.raw = [];
    this.closed = null; // {code, reason} when it is
    this.socket_id = null;
    this.waiters = new Waiters();
    this.pongs = []; // payloads of WebSocket pong frames
    this.control_pings = 0;
    socket.on('message', (data) => this.#take(data.toString('utf8')));
    socket.on('ping', () => this.#changed(() => this.control_pings++));
    socket.on('pong', (data) => this.#changed(() => this.pongs.push(data.toString())));
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      this.server.clients.delete(this);
      this.#changed(() => {
        this.closed = { code, reason: reason.toString() };
      });
    });
  }

  #changed(change) {
    change();
    this.waiters.changed();
  }

  #take(text) {
    const frame = JSON.parse(text);
    for (const fault of frameFaults(frame)) this.server.violations.push(`${fault}: ${text.slice(0, 200)}`);
    if (frame.event === 'pusher:connection_established') this.socket_id = JSON.parse(frame.data).socket_id;
    this.#changed(() => {
      this.frames.push(frame);
      this.raw.push(text);
    });
  }

  /** Resolves with the first truthy value of `probe`, asked again after each frame and at the close. */
  until(probe, what, { even_closed = false } = {}) {
    const over = () => this.closed && !even_closed && `closed ${this.closed.code} before ${what}`;
    const describe = () => this.raw.slice(-8).map((text) => text.slice(0, 300)).join('\n');
    return this.waiters.until(probe, { over, late: () => `no ${what}; the last frames:\n${describe()}` });
  }

  /** The first frame from index `from` on that satisfies `predicate` (or has this event name). */
  waitFor(predicate, { from = 0, what, even_closed = false } = {}) {
    const test = typeof predicate === 'string' ? (frame) => frame.event === predicate : predicate;
    const label = what ?? `frame ${predicate}`;
    return this.until(() => this.frames.slice(from).find(test), label, { even_closed });
  }

  /** All frames so far with this event name and, if given, channel. */
  all(event, channel) {
    return this.frames.filter((f) => f.event === event && (channel === undefined || f.channel === channel));
  }

  send(message) {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  /** Sends pusher:ping and waits for its pong: whatever this socket sent before has been handled on its shard. */
  async ping() {
    const from = this.frames.length;
    this.send({ event: 'pusher:ping', data: {} });
    return this.waitFor('pusher:pong', { from });
  }

  /** Sends pusher:subscribe; `auth` is computed for names that need it, unless data holds one. */
  sendSubscribe(channel, data = {}) {
    const needs_auth = /^(private|presence)-/.test(channel);
    const payload = { channel, auth: '', ...data };
    if (needs_auth && !('auth' in data)) {
      payload.auth = channelAuth(this.app, this.socket_id, channel, data.channel_data);
    }
    this.send({ event: 'pusher:subscribe', data: payload });
  }

  /** Subscribes and waits for the success. Returns its frame. */
  async subscribe(channel, data = {}) {
    const from = this.frames.length;
    this.sendSubscribe(channel, data);
    return this.waitFor(
      (f) => f.event === 'pusher_internal:subscription_succeeded' && f.channel === channel,
      { from, what: `success of ${channel}` },
    );
  }

  /** Joins a presence channel as this member; `info` undefined leaves user_info out. */
  join(channel, user_id, info) {
    return this.subscribe(channel, { channel_data: JSON.stringify({ user_id, user_info: info }) });
  }

  unsubscribe(channel) {
    this.send({ event: 'pusher:unsubscribe', data: { channel } });
  }

  sendSignin(user, overrides = {}) {
    const user_data = typeof user === 'string' ? user : JSON.stringify(user);
    const auth = signinAuth(this.app, this.socket_id, user_data);
    this.send({ event: 'pusher:signin', data: { auth, user_data, ...overrides } });
  }

  async signin(user) {
    const from = this.frames.length;
    this.sendSignin(user);
    return this.waitFor('pusher:signin_success', { from });
  }

  trigger(event, channel, data, extra = {}) {
    this.send({ event, channel, data, ...extra });
  }

  /** Publishes a uniquely named event on `channel`, of which this client is a subscriber, and waits for it: with one
   *  order per channel, whatever was not delivered before it never will be. */
  async barrier(channel) {
    const name = `marker.${Math.random().toString(36).slice(2)}`;
    await this.server.publish(channel, name, '{}');
    return this.waitFor((f) => f.event === name && f.channel === channel, { what: `marker on ${channel}` });
  }

  /** Resolves with {code, reason} of the close. */
  waitClose() {
    return this.until(() => this.closed, 'close', { even_closed: true });
  }

  /** A proper close; resolves when the server has answered it. */
  async close(code = 1000) {
    this.socket.close(code);
    return this.waitClose();
  }

  /** Ends the TCP connection without a close frame. */
  terminate() {
    this.socket.terminate();
  }
}

/** Path and query of a connection. `protocol` null leaves the parameter out. */
export function socketPath(server, options = {}) {
  const key = options.key ?? server.app.key;
  const prefix = options.prefix ?? server.prefix;
  const protocol = options.protocol === undefined ? '7' : options.protocol;
  const query = protocol === null ? '' : `protocol=${protocol}&`;
  return options.path ?? `${prefix}/app/${key}?${query}client=js&version=8.6.0&flash=false`;
}

/**
 * Opens a recording client. Resolves once the first frame is there and, unless `established` is false, asserts that it
 * is the welcome. Options: key, prefix, protocol, path, headers, protocols, app, established, autoPong, perMessageDeflate.
 */
export async function connect(server, options = {}) {
  const url = `ws://${server.host}:${server.port}${socketPath(server, options)}`;
  const socket = new WebSocket(url, options.protocols ?? [], {
    headers: options.headers,
    autoPong: options.autoPong ?? true,
    perMessageDeflate: options.perMessageDeflate ?? false,
    handshakeTimeout: kWaitMs,
  });
  const client = new Client(server, socket);
  if (options.app) client.app = options.app;
  server.clients.add(client);
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  await client.until(() => client.frames.length > 0, 'first frame', { even_closed: false });
  if (options.established !== false) assert.equal(client.frames[0].event, 'pusher:connection_established');
  return client;
}
