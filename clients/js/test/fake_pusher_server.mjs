// A small server of the Pusher protocol with the history that docs/history.md describes, and with switches for what a
// real one does rarely: forget, refuse, break off in the middle, repeat itself.
// Owner: the test, which must close() it. Unbounded, as a test is short.
import { createServer } from 'node:http';
import { once } from 'node:events';

import { WebSocketServer } from 'ws';

export class FakePusherServer {
  /** false: a server that has never heard of history. */
  history = true;
  epoch = 'epoch-1';
  /** Sends so many events of a replay, then cuts the connection; null for whole replays. */
  cutReplayAfter = null;
  /** How many events a replay repeats that the client has seen. */
  repeat = 0;
  /** Called with each new connection before it is welcomed; true when it was dealt with. */
  onConnection = () => false;
  /** Every parsed frame of any client, in order. */
  received = [];
  /** Texts that were no JSON object with an event. */
  bare = [];
  #channels = new Map();
  #sockets = new Set();
  #nextId = 1;

  static async start(handler) {
    const server = new FakePusherServer();
    server.http = createServer(handler ?? ((request, response) => response.end()));
    server.wss = new WebSocketServer({ server: server.http });
    server.wss.on('connection', (socket) => server.#welcome(socket));
    server.http.listen(0, '127.0.0.1');
    await once(server.http, 'listening');
    server.port = server.http.address().port;
    return server;
  }

  async close() {
    for (const socket of this.wss.clients) socket.terminate();
    this.wss.close();
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
  }

  get connections() {
    return this.#sockets.size;
  }

  /** The `data` of all subscribes to a channel. */
  subscribes(channel) {
    return this.received.filter(({ event, data }) => event === 'pusher:subscribe' && data.channel === channel).map(({ data }) => data);
  }

  subscribers(channel) {
    return [...this.#sockets].filter((socket) => socket.channels.has(channel)).length;
  }

  /** Ends all connections without a close frame. */
  cut() {
    for (const socket of [...this.#sockets]) {
      this.#sockets.delete(socket);
      socket.terminate();
    }
  }

  closeAll(code, reason) {
    for (const socket of [...this.#sockets]) socket.close(code, reason);
  }

  /** Sends to all subscribers; returns the offset. */
  publish(name, event, data, { offset, extra = {} } = {}) {
    const channel = this.#channel(name);
    const frame = { event, channel: name, data: JSON.stringify(data), ...extra };
    if (this.history) {
      frame.offset = offset ?? channel.events.length + 1;
      if (offset === undefined) channel.events.push(frame);
    }
    for (const socket of this.#sockets) if (socket.channels.has(name)) socket.send(JSON.stringify(frame));
    return frame.offset;
  }

  /** Takes all history away, as a restart without `durable` does. */
  forget(epoch) {
    this.epoch = epoch;
    this.#channels.clear();
  }

  /** The oldest events of a channel are no longer there. */
  expire(name, upTo) {
    this.#channel(name).expired = upTo;
  }

  #channel(name) {
    if (!this.#channels.has(name)) this.#channels.set(name, { events: [], expired: 0 });
    return this.#channels.get(name);
  }

  #welcome(socket) {
    socket.on('error', () => {});
    if (this.onConnection(socket)) return;
    socket.id = `1.${this.#nextId++}`;
    socket.channels = new Set();
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('message', (raw) => this.#onFrame(socket, String(raw)));
    const data = JSON.stringify({ socket_id: socket.id, activity_timeout: 120 });
    socket.send(JSON.stringify({ event: 'pusher:connection_established', data }));
  }

  #onFrame(socket, text) {
    const frame = JSON.parse(text);
    if (typeof frame.event !== 'string') return void this.bare.push(frame);
    this.received.push(frame);
    const { event, channel, data } = frame;
    if (event === 'pusher:subscribe') this.#subscribe(socket, data);
    else if (event === 'pusher:unsubscribe') socket.channels.delete(data.channel);
    else if (event === 'pusher:ping') socket.send(JSON.stringify({ event: 'pusher:pong', data: '{}' }));
    else if (event.startsWith('client-')) {
      for (const other of this.#sockets) if (other !== socket && other.channels.has(channel)) other.send(text);
    }
  }

  #subscribe(socket, { channel: name, recover, rewind, channel_data }) {
    socket.channels.add(name);
    const channel = this.#channel(name);
    const last = channel.events.length;
    const answer = {};
    if (name.startsWith('presence-')) {
      const { user_id, user_info } = JSON.parse(channel_data);
      answer.presence = { ids: [user_id], hash: { [user_id]: user_info }, count: 1 };
    }
    let from = last;
    if (this.history && (recover || rewind)) {
      answer.position = { epoch: this.epoch, offset: last };
      if (rewind) from = Math.max(last - rewind.count, 0);
      if (typeof recover === 'object') {
        answer.recovered = recover.epoch === this.epoch && recover.offset >= channel.expired;
        if (answer.recovered) from = Math.max(recover.offset - this.repeat, 0);
        else answer.reason = recover.epoch === this.epoch ? 'history_expired' : 'history_epoch';
      }
    } else if (typeof recover === 'object' && this.sayOff) {
      Object.assign(answer, { recovered: false, reason: 'history_off' });
    }
    const succeeded = { event: 'pusher_internal:subscription_succeeded', channel: name, data: JSON.stringify(answer) };
    socket.send(JSON.stringify(succeeded));
    this.#replay(socket, channel.events.slice(from));
  }

  #replay(socket, events) {
    const cut = this.cutReplayAfter;
    for (const frame of cut === null ? events : events.slice(0, cut)) socket.send(JSON.stringify(frame));
    if (cut === null) return;
    this.cutReplayAfter = null;
    // What was sent so far is still read by the client; nothing comes after it.
    this.#sockets.delete(socket);
    socket.close(4200, 'cut');
  }
}
