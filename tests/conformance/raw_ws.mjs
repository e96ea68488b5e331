// A WebSocket client on a bare TCP socket that sends exactly the bytes a test wants: bad frames, half frames, fragments,
// upgrades that must fail, readers that stop reading. Client frames are masked unless the test says otherwise.
// Keeps everything received; bounded by the length of a test.
import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';

import { Waiters } from './wait.mjs';

const kGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455 section 1.3

export const kOpcode = Object.freeze({ continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 });

/** One frame as bytes. Options: fin, mask, rsv (0..7). */
export function encodeFrame(opcode, payload = '', { fin = true, mask = true, rsv = 0 } = {}) {
  const body = Buffer.from(payload);
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const mask_bit = mask ? 0x80 : 0;
  let head;
  if (body.length < 126) {
    head = Buffer.from([first, mask_bit | body.length]);
  } else if (body.length < 65536) {
    head = Buffer.from([first, mask_bit | 126, body.length >> 8, body.length & 0xff]);
  } else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = mask_bit | 127;
    head.writeBigUInt64BE(BigInt(body.length), 2);
  }
  if (!mask) return Buffer.concat([head, body]);
  const key = randomBytes(4);
  const masked = Buffer.from(body.map((byte, i) => byte ^ key[i & 3]));
  return Buffer.concat([head, key, masked]);
}

/** Takes one server frame off the front of `buffer`; null when it is not complete. */
function decodeFrame(buffer) {
  if (buffer.length < 2) return null;
  let length = buffer[1] & 0x7f;
  let at = 2;
  if (length === 126) {
    if (buffer.length < 4) return null;
    length = buffer.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (buffer.length < 10) return null;
    length = Number(buffer.readBigUInt64BE(2));
    at = 10;
  }
  if (buffer.length < at + length) return null;
  const frame = {
    fin: (buffer[0] & 0x80) !== 0,
    rsv: (buffer[0] >> 4) & 7,
    opcode: buffer[0] & 0x0f,
    masked: (buffer[1] & 0x80) !== 0,
    payload: buffer.subarray(at, at + length),
  };
  return { frame, rest: buffer.subarray(at + length) };
}

/** A TCP connection with everything it has received. */
export class RawSocket {
  constructor(socket) {
    this.socket = socket;
    this.received = Buffer.alloc(0); // not yet taken
    this.ended = false; // the peer has sent FIN, or the connection is gone
    this.waiters = new Waiters();
    socket.on('data', (chunk) => this.#changed(() => {
      this.received = Buffer.concat([this.received, chunk]);
    }));
    socket.on('error', () => {});
    const end = () => this.#changed(() => {
      this.ended = true;
    });
    socket.on('end', end);
    socket.on('close', end);
  }

  #changed(change) {
    change();
    this.waiters.changed();
  }

  /** Resolves with the first truthy value of `probe`, asked again after each chunk and at the end. */
  until(probe, what, { even_ended = false } = {}) {
    const over = () => this.ended && !even_ended && `connection ended before ${what}`;
    return this.waiters.until(probe, { over, late: () => `no ${what}` });
  }

  write(bytes) {
    this.socket.write(bytes);
  }

  waitEnd() {
    return this.until(() => this.ended, 'end of connection', { even_ended: true });
  }

  /** One HTTP response: {status, head, headers, body}; the body is taken by Content-Length only. */
  async readResponse() {
    return this.until(() => {
      const at = this.received.indexOf('\r\n\r\n');
      if (at < 0) return null;
      const head = this.received.subarray(0, at).toString('latin1');
      const headers = {};
      for (const line of head.split('\r\n').slice(1)) {
        const colon = line.indexOf(':');
        headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
      }
      const status = Number(head.split(' ')[1]);
      const length = status < 200 || status === 204 ? 0 : Number(headers['content-length'] ?? 0);
      if (this.received.length < at + 4 + length) return null;
      const body = this.received.subarray(at + 4, at + 4 + length).toString('utf8');
      this.received = this.received.subarray(at + 4 + length);
      return { status, head, headers, body };
    }, 'HTTP response');
  }

  /** The next WebSocket frame. */
  async readFrame() {
    return this.until(() => {
      const decoded = decodeFrame(this.received);
      if (!decoded) return null;
      this.received = decoded.rest;
      return decoded.frame;
    }, 'WebSocket frame');
  }

  /** The next text frame as an object; control frames before it are dropped. */
  async readEvent() {
    for (;;) {
      const frame = await this.readFrame();
      if (frame.opcode === kOpcode.text) return JSON.parse(frame.payload.toString('utf8'));
      if (frame.opcode === kOpcode.close) throw new Error(`closed ${frame.payload.readUInt16BE(0)} before an event`);
    }
  }

  /** Code of the next close frame and the text frames before it: {code, events}. Answers it (RFC 6455 section 5.5.1)
   *  and ends this side, so that the server need not wait for its own deadline. */
  async readClose() {
    const events = [];
    for (;;) {
      const frame = await this.readFrame();
      if (frame.opcode === kOpcode.text) events.push(JSON.parse(frame.payload.toString('utf8')));
      if (frame.opcode === kOpcode.close) {
        this.sendFrame(kOpcode.close, frame.payload);
        this.socket.end();
        return { code: frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 1005, events };
      }
    }
  }

  sendFrame(opcode, payload, options) {
    this.write(encodeFrame(opcode, payload, options));
  }

  sendEvent(event) {
    this.sendFrame(kOpcode.text, JSON.stringify(event));
  }

  /** Ends with a TCP reset, as a machine that lost power would be seen after its return. */
  reset() {
    this.socket.resetAndDestroy();
  }

  destroy() {
    this.socket.destroy();
  }
}

/** A TCP connection to the server. Options are those of net.connect. */
export function connectRaw(server, options = {}) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: server.host, port: server.port, allowHalfOpen: true, ...options });
    socket.setNoDelay(true);
    socket.once('error', reject);
    socket.once('connect', () => resolve(new RawSocket(socket)));
  });
}

/** The upgrade request as text. `headers` replace or, with undefined, remove the usual ones. */
export function upgradeRequest(server, path, headers = {}) {
  const all = {
    Host: `${server.host}:${server.port}`,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}`);
  return { key: all['Sec-WebSocket-Key'], text: `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n` };
}

export function acceptKey(key) {
  return createHash('sha1').update(key + kGuid).digest('base64');
}

/** Sends an upgrade and resolves with {raw, response, key}; the response may be a refusal. */
export async function upgrade(server, path, headers) {
  const raw = await connectRaw(server);
  const { key, text } = upgradeRequest(server, path, headers);
  raw.write(text);
  const response = await raw.readResponse();
  return { raw, response, key };
}

/** An established Pusher connection on a raw socket, with its socket_id. */
export async function connectRawPusher(server, key = server.app.key) {
  const { raw, response } = await upgrade(server, `${server.prefix}/app/${key}?protocol=7&client=raw&version=1.0`);
  if (response.status !== 101) throw new Error(`upgrade answered ${response.status}`);
  const welcome = await raw.readEvent();
  raw.socket_id = JSON.parse(welcome.data).socket_id;
  return raw;
}
