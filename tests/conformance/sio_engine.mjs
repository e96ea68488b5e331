// Single requests of Engine.IO over plain HTTP, and the upgrade to a raw WebSocket. Every request takes a new connection,
// so that with several shards the requests of one session come in on different ones. No state.
import assert from 'node:assert/strict';

import { send } from './http_client.mjs';
import { kOpcode, upgrade } from './raw_ws.mjs';
import { kWaitMs } from './wait.mjs';

export const kSeparator = '\x1e';

/** Resolves with the promise's value, or rejects after the longest wait. */
export function within(promise, what, wait_ms = kWaitMs) {
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what}`)), wait_ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Path and query. A parameter that is undefined is left out; `query` may be a text as well. */
export function enginePath(target, query, path = target.path) {
  const text =
    typeof query === 'string'
      ? query
      : Object.entries(query)
          .filter(([, value]) => value !== undefined)
          .map(([key, value]) => `${key}=${value}`)
          .join('&');
  return `${target.prefix}${path}?${text}`;
}

/** One request. `query` as of enginePath, completed with EIO=4 and transport=polling when it is an object. */
export function engineRequest(target, method, query = {}, { body, headers = {}, path } = {}) {
  const all = typeof query === 'string' ? query : { EIO: 4, transport: 'polling', ...query };
  const typed = body === undefined ? headers : { 'Content-Type': 'text/plain;charset=UTF-8', ...headers };
  const request = send(target, method, enginePath(target, all, path), { body, headers: typed, agent: false });
  return within(request, `answer to ${method} ${JSON.stringify(query)}`);
}

/** A GET for the session `sid`. */
export function poll(target, sid, options) {
  return engineRequest(target, 'GET', { sid }, options);
}

/** A POST for the session `sid`; buffers become base64. */
export function push(target, sid, packets, options) {
  const list = Array.isArray(packets) ? packets : [packets];
  const body = list.map((p) => (Buffer.isBuffer(p) ? `b${p.toString('base64')}` : p)).join(kSeparator);
  return engineRequest(target, 'POST', { sid }, { ...options, body });
}

/** Splits the body of an answered GET into packets; binary ones become buffers. */
export function splitPayload(text) {
  return text.split(kSeparator).map((packet) => (packet[0] === 'b' ? Buffer.from(packet.slice(1), 'base64') : packet));
}

/** The object in an open packet. */
export function parseOpen(text) {
  assert.equal(text[0], '0', `an open packet, not ${text.slice(0, 100)}`);
  return JSON.parse(text.slice(1));
}

/** A handshake by polling; resolves with {sid, …} of the open packet. */
export async function pollingHandshake(target, query = {}, options = {}) {
  const response = await engineRequest(target, 'GET', query, options);
  assert.equal(response.status, 200, response.text);
  return parseOpen(response.text);
}

/** An upgrade request: {raw, response, key}; it may be refused. `query` as of engineRequest. */
export function engineUpgrade(target, query = {}, { headers, path } = {}) {
  const all = typeof query === 'string' ? query : { EIO: 4, transport: 'websocket', ...query };
  return upgrade(target, enginePath(target, all, path), headers);
}

/** An upgrade that must be accepted; resolves with its raw socket. */
export async function openSocket(target, query, options) {
  const { raw, response } = await engineUpgrade(target, query, options);
  assert.equal(response.status, 101, response.body);
  return raw;
}

/** The next data frame of a raw socket: text or buffer; a WebSocket close becomes {closed: code}. */
export async function readPacket(raw) {
  for (;;) {
    const frame = await raw.readFrame();
    if (frame.opcode === kOpcode.text) return frame.payload.toString('utf8');
    if (frame.opcode === kOpcode.binary) return Buffer.from(frame.payload);
    if (frame.opcode === kOpcode.close) {
      raw.sendFrame(kOpcode.close, frame.payload);
      raw.socket.end();
      return { closed: frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 1005 };
    }
  }
}

export function sendText(raw, text) {
  raw.sendFrame(kOpcode.text, text);
}

/** Asserts a refusal by one of Engine.IO's codes, as JSON. */
export function assertEngineError(response, code, message, status = 400) {
  assert.equal(response.status, status, response.text);
  assert.match(response.headers['content-type'], /^application\/json/);
  assert.deepEqual(response.json, { code, message });
}

/** Asserts that the session is gone. */
export async function assertGone(target, sid) {
  assertEngineError(await poll(target, sid), 1, 'Session ID unknown');
}
