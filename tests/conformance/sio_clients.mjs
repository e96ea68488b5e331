// The real npm client of Socket.IO, set up against a target: records every event in order and waits for one.
// Owner: the test, which ends them with closeSioClients(). Bounded by the length of a test.
import assert from 'node:assert/strict';

import { io } from 'socket.io-client';

import { channelAuth } from './http_client.mjs';
import { within } from './sio_engine.mjs';
import { signinArgument } from './sio_target.mjs';
import { kWaitMs } from './wait.mjs';

const open_clients = new Set();

/** Transports of the client, by the way it comes to its last one. */
export const kWays = Object.freeze({ polling: ['polling'], websocket: ['websocket'], upgrade: ['polling', 'websocket'] });

/**
 * A client socket of namespace `nsp`; the options are those of io(). Each has a connection of its own unless forceNew is
 * false. `socket.seen` are all events as [name, ...arguments], in order.
 */
export function sioClient(target, { nsp = '/', ...options } = {}) {
  const socket = io(`http://${target.host}:${options.port ?? target.port}${nsp === '/' ? '' : nsp}`, {
    path: target.path,
    forceNew: true,
    reconnectionDelay: 100,
    reconnectionDelayMax: 500,
    timeout: kWaitMs,
    ...options,
  });
  socket.target = target;
  socket.seen = [];
  socket.onAny((...event) => socket.seen.push(event));
  open_clients.add(socket);
  return socket;
}

/** Resolves with the arguments of the next `event` of a socket, a manager or an engine. */
export function sioOnce(emitter, event, what = event) {
  return within(new Promise((resolve) => emitter.once(event, (...values) => resolve(values))), what);
}

/** A client that is connected. */
export async function sioConnected(target, options) {
  const socket = sioClient(target, options);
  await sioReady(socket);
  return socket;
}

/** Resolves when the socket is connected, and has its last transport. */
export async function sioReady(socket) {
  if (!socket.connected) {
    // One timer for both: a second one would keep the process for its whole time.
    const decided = new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    await within(decided, 'connect').finally(() => socket.off('connect_error'));
  }
  return settled(socket);
}

/** The same for one that comes back by itself: attempts may fail before one succeeds. */
export async function sioBack(socket) {
  if (!socket.connected) await sioOnce(socket, 'connect');
  return settled(socket);
}

async function settled(socket) {
  const { engine, opts } = socket.io;
  const last = opts.transports?.at(-1) ?? 'websocket';
  if (engine.transport.name !== last) await sioOnce(engine, 'upgrade', `upgrade to ${last}`);
  return socket;
}

/** Resolves with the first event, past (from index `from` on) or future, with this name and satisfying `test`. */
export async function sioEvent(socket, name, { from = 0, test = () => true } = {}) {
  let checking;
  const found = new Promise((resolve) => {
    checking = () => {
      const hit = socket.seen.slice(from).find((event) => event[0] === name && test(...event.slice(1)));
      if (hit) resolve(hit.slice(1));
    };
    socket.onAny(checking);
    checking();
  });
  const describe = `${name}; the last events: ${JSON.stringify(socket.seen.slice(-5)).slice(0, 500)}`;
  return within(found, describe).finally(() => socket.offAny(checking));
}

/** Emits with an acknowledgement; resolves with its first argument. */
export function sioCall(socket, event, ...args) {
  return socket.timeout(kWaitMs).emitWithAck(event, ...args);
}

/** Subscribes, with a signature where the name needs one, and asserts the success. */
export async function sioSubscribe(socket, channel, channel_data) {
  const data = channel_data === undefined ? undefined : JSON.stringify(channel_data);
  const auth = channelAuth(socket.target.app, socket.id, channel, data);
  const plain = !/^(private|presence)-/.test(channel);
  const answer = await sioCall(socket, 'subscribe', plain ? channel : { channel, auth, channel_data: data });
  assert.equal(answer.ok, true, JSON.stringify(answer));
  return answer;
}

export async function sioSignin(socket, user) {
  const answer = await sioCall(socket, 'signin', signinArgument(socket.target.app, socket.id, user));
  assert.equal(answer.ok, true, JSON.stringify(answer));
  return answer;
}

/** Asserts that `name` has not come, after an answer to this socket that was asked for now. */
export async function sioNotSeen(socket, name) {
  await sioCall(socket, 'unsubscribe', 'nothing');
  assert.deepEqual(socket.seen.filter((event) => event[0] === name), []);
}

export function closeSioClients() {
  for (const socket of open_clients) {
    socket.offAny();
    // Other sockets of the manager would make it reconnect.
    socket.io.reconnection(false);
    socket.disconnect();
    socket.io.engine?.close();
  }
  open_clients.clear();
}
