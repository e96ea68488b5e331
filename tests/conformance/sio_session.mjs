// One Engine.IO session with exact control over its packets, over a raw WebSocket or over single polling requests, with
// the same face for both. Packets are written as on the wire: '40', '42["event"]', buffers for attachments.
// Owner: the test, through openSession(); sockets are dropped by dropSessions(). Bounded by the length of a test.
import assert from 'node:assert/strict';

import { openSocket, parseOpen, poll, pollingHandshake, push, readPacket, splitPayload } from './sio_engine.mjs';
import { encodeFrame, kOpcode } from './raw_ws.mjs';
import { channelAuth } from './http_client.mjs';

export const kTransports = Object.freeze(['websocket', 'polling']);

/** What a closed WebSocket reads after a violation: a close frame without a code. */
export const kEmptyClose = 1005;

const open_sessions = new Set();

/** A text packet of Socket.IO in its parts; data is parsed JSON or undefined. */
export function parsePacket(text) {
  const match = /^4([0-6])(?:(\d+)-)?(?:(\/[^,]*),)?(\d+)?(.*)$/s.exec(text);
  assert.ok(match, `a Socket.IO packet, not ${String(text).slice(0, 200)}`);
  const [, type, count, nsp, id, json] = match;
  return {
    type: Number(type),
    count: Number(count ?? 0),
    nsp: nsp ?? '/',
    id: id === undefined ? undefined : Number(id),
    data: json === '' ? undefined : JSON.parse(json),
  };
}

function fill(value, attachments) {
  if (Array.isArray(value)) return value.map((item) => fill(item, attachments));
  if (typeof value !== 'object' || value === null) return value;
  if (value._placeholder === true) return attachments[value.num];
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, attachments)]));
}

/** What both transports share. A subclass gives transmit(packets), read() and drop(). */
class Session {
  constructor(target, sid) {
    this.target = target;
    this.sid = sid; // of the Engine.IO session
    this.ids = {}; // of the Socket.IO sockets, by namespace
    this.pings = 0;
    this.answer_pings = true;
    open_sessions.add(this);
  }

  /** Sends packets, all at once: in one payload, or in one write. */
  send(...packets) {
    return this.transmit(packets);
  }

  /** The next packet: text, or a buffer, or {closed}. Pings are counted and answered. */
  async next() {
    for (;;) {
      const packet = await this.read();
      if (packet !== '2') return packet;
      ++this.pings;
      if (this.answer_pings) await this.send('3');
    }
  }

  /** The next packet must be exactly this. */
  async expect(packet) {
    assert.deepEqual(await this.next(), packet);
  }

  /** The next Socket.IO packet with its attachments in their places: {type, nsp, id, data, count}. */
  async receive() {
    const packet = parsePacket(await this.next());
    const attachments = [];
    for (let i = 0; i < packet.count; ++i) attachments.push(await this.next());
    assert.ok(attachments.every(Buffer.isBuffer), 'attachments are binary');
    if (packet.count > 0) packet.data = fill(packet.data, attachments);
    return packet;
  }

  /** The arguments of the next event, which must have this name. */
  async event(name, nsp = '/') {
    const packet = await this.receive();
    assert.ok(packet.type === 2 || packet.type === 5, `an event, not ${JSON.stringify(packet)}`);
    assert.equal(packet.nsp, nsp);
    assert.equal(packet.data[0], name);
    return packet.data.slice(1);
  }

  /** Joins a namespace; resolves with the answer's object. In suite mode the server's `auth` event is taken too. */
  async connect(nsp = '/', payload) {
    const prefix = nsp === '/' ? '' : `${nsp},`;
    await this.send(`40${prefix}${payload === undefined ? '' : JSON.stringify(payload)}`);
    const answer = await this.receive();
    assert.equal(answer.type, 0, JSON.stringify(answer));
    assert.equal(answer.nsp, nsp);
    assert.match(answer.data.sid, /^[\w-]{20}$/);
    this.ids[nsp] = answer.data.sid;
    if (this.target.settings.protocol_suite) assert.deepEqual((await this.event('auth', nsp))[0], payload ?? {});
    return answer.data;
  }

  /** Sends an event with this acknowledgement id; resolves with the arguments of the answer, which must come next. */
  async call(id, name, ...args) {
    await this.send(`42${id}${JSON.stringify([name, ...args])}`);
    const answer = await this.receive();
    assert.equal(answer.type, 3, JSON.stringify(answer));
    assert.equal(answer.id, id);
    return answer.data;
  }

  /** Subscribes, with a signature where the name needs one. */
  async subscribe(channel, channel_data) {
    const auth = channelAuth(this.target.app, this.ids['/'], channel, channel_data);
    const plain = !/^(private|presence)-/.test(channel);
    const [answer] = await this.call(900, 'subscribe', plain ? channel : { channel, auth, channel_data });
    assert.equal(answer.ok, true, JSON.stringify(answer));
    return answer;
  }

  /** Asserts that the session is open and that nothing was sent to it: an echo is the next thing to come. */
  async assertQuiet() {
    await this.send('42["message","still here"]');
    await this.expect('42["message-back","still here"]');
  }

  /** Asserts the end of the session, before which nothing may come but what `allowed` matches; resolves with the code. */
  async closed(allowed = /^$/) {
    for (;;) {
      const packet = await this.next();
      if (packet.closed !== undefined) return packet.closed;
      assert.ok(typeof packet === 'string' && allowed.test(packet), `the close, not ${packet}`);
    }
  }
}

export class WsSession extends Session {
  constructor(target, raw, open) {
    super(target, open.sid);
    this.raw = raw;
    this.open = open;
    this.transport = 'websocket';
  }

  static async start(target, query, options) {
    const raw = await openSocket(target, query, options);
    return new WsSession(target, raw, parseOpen(await readPacket(raw)));
  }

  async transmit(packets) {
    const frames = packets.map((p) => encodeFrame(Buffer.isBuffer(p) ? kOpcode.binary : kOpcode.text, p));
    this.raw.write(Buffer.concat(frames));
  }

  read() {
    return readPacket(this.raw);
  }

  /** Resolves when the server has handled what was sent; nothing may come meanwhile. */
  async settle() {
    this.raw.sendFrame(kOpcode.ping, 'settle');
    const frame = await this.raw.readFrame();
    assert.equal(frame.opcode, kOpcode.pong, `a pong, not ${frame.payload}`);
  }

  /** After a violation the close frame must be empty. */
  async assertClosed(allowed) {
    assert.equal(await this.closed(allowed), kEmptyClose);
  }

  drop() {
    this.raw.destroy();
  }
}

export class PollSession extends Session {
  constructor(target, open) {
    super(target, open.sid);
    this.open = open;
    this.transport = 'polling';
    this.queue = [];
    this.status = 200; // of the last POST
  }

  static async start(target, query, options) {
    return new PollSession(target, await pollingHandshake(target, query, options));
  }

  async transmit(packets) {
    const response = await push(this.target, this.sid, packets);
    this.status = response.status;
    assert.ok(response.status === 200 || response.status === 400, `${response.status} ${response.text}`);
    if (response.status === 200) assert.equal(response.text, 'ok');
  }

  /** The answer to a POST comes when its packets have been handled. */
  async settle() {}

  async read() {
    while (this.queue.length === 0) {
      const response = await poll(this.target, this.sid);
      if (response.status === 400) {
        assert.equal(response.json?.code, 1, response.text);
        return { closed: 0 };
      }
      assert.equal(response.status, 200, response.text);
      this.queue = splitPayload(response.text).filter((packet) => packet !== '6');
    }
    const packet = this.queue.shift();
    return packet === '1' ? { closed: 1 } : packet;
  }

  async assertClosed(allowed) {
    await this.closed(allowed);
    const response = await poll(this.target, this.sid);
    assert.equal(response.status, 400, response.text);
    assert.equal(response.json.code, 1);
  }

  drop() {}
}

/** A new session over 'websocket' or 'polling'; `query` and `options` go into its handshake. */
export function openSession(target, transport, query, options) {
  return (transport === 'websocket' ? WsSession : PollSession).start(target, query, options);
}

/** A session that has joined a namespace. */
export async function connectedSession(target, transport, nsp = '/', payload = undefined) {
  const session = await openSession(target, transport);
  await session.connect(nsp, payload);
  return session;
}

/** Ends every session that is still there; polling ones by their closing packet. */
export async function dropSessions() {
  const sessions = [...open_sessions];
  open_sessions.clear();
  await Promise.all(
    sessions.map((session) => (session.raw ? session.drop() : push(session.target, session.sid, '1').catch(() => {}))),
  );
}
