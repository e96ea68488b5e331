// Figure 7: input that is made to cost memory or time gets its refusal before either is spent, and a client beside is
// served throughout. Each attack is played once to warm the server up, once alone to measure it, and once beside an
// honest client. Processor times are reported; memory, codes and reasons are asserted.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { deflateRawSync } from 'node:zlib';

import { assertRow, kWaitMs, startServer } from '../conformance/harness.mjs';
import { encodeQuery, signedParams } from '../conformance/http_client.mjs';
import { connectRaw, connectRawPusher, encodeFrame, kOpcode, upgrade } from '../conformance/raw_ws.mjs';
import { cpuMs, kLong, kMiB, mib, ms, report, residentBytes, startHonest } from './chaos.mjs';

const kMany = kLong ? 1_000_000 : 100_000;
// Refused after a thousand of them. Of six bytes each: with more than 4 MiB behind the refusal the server stops throwing
// away what comes, and the reset that follows may overtake the close frame.
const kManyRefused = Math.min(kMany, 500_000);
const kMessageBytes = 128 * 1024;
const kBodyBytes = kMiB;
const kHeaderBytes = 16 * 1024;
// What the allocator and the outboxes of the test's own connections may add.
const kSlackBytes = 3 * kMiB;

/** A frame of a client with a mask of zeros, which is as valid as any other and costs nothing to make. */
function frame(opcode, payload = '', options = {}) {
  const bytes = encodeFrame(opcode, payload, { ...options, mask: false });
  const header = bytes.length - Buffer.byteLength(payload);
  bytes[1] |= 0x80;
  return Buffer.concat([bytes.subarray(0, header), Buffer.alloc(4), bytes.subarray(header)]);
}
const text = (message) => frame(kOpcode.text, typeof message === 'string' ? message : JSON.stringify(message));
const subscribe = (channel) => text({ event: 'pusher:subscribe', data: { channel, auth: '' } });
const times = (count, bytes) => Buffer.concat(Array(count).fill(bytes));

function claim(bytes) {
  const header = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeBigUInt64BE(bytes, 2);
  return header;
}

// --- over a WebSocket

/** Plays bytes over a Pusher connection that must be closed for `reason`. */
function closedFor(reason, code, bytes) {
  return async (server) => {
    assertRow(reason, { closeCode: code });
    const raw = await connectRawPusher(server);
    raw.write(bytes);
    assert.equal((await raw.readClose()).code, code);
    raw.destroy();
    await server.closeLog(raw.socket_id, reason);
  };
}

/**
 * Plays bytes over a Pusher connection that must survive them: a last subscription is answered. With `may_lag` the
 * client may also be closed because it reads the answers more slowly than it asks.
 */
function survives(bytes, may_lag = false) {
  return async (server) => {
    const raw = await connectRawPusher(server);
    // Counting instead of keeping: the answers are megabytes.
    let tail = '';
    let served = false;
    let quiet;
    raw.socket.removeAllListeners('data');
    const outcome = new Promise((resolve, reject) => {
      raw.socket.on('data', (chunk) => {
        const text_so_far = tail + chunk.toString('latin1');
        tail = text_so_far.slice(-200);
        // Answers of channels that live on another shard may still follow: it is over when nothing more comes.
        served ||= /subscription_succeeded[^{]*last/.test(text_so_far);
        clearTimeout(quiet);
        if (served) quiet = setTimeout(() => resolve('served'), 100);
      });
      for (const event of ['end', 'close']) raw.socket.once(event, () => resolve('closed'));
      setTimeout(() => reject(new Error(`no answer; the last bytes: ${tail.slice(-300)}`)), kWaitMs).unref();
    });
    raw.write(Buffer.concat([bytes, subscribe('last')]));
    const how = await outcome;
    raw.destroy();
    if (how === 'served') return;
    await server.closeLog(raw.socket_id, may_lag ? 'slow_consumer' : 'none');
  };
}

/** A text message that inflates to `size` bytes, over a connection with permessage-deflate. */
async function bomb(server) {
  assertRow('ws_inflated_too_big', { closeCode: 1009 });
  const { raw, response } = await upgrade(server, `/app/${server.app.key}?protocol=7`, {
    'Sec-WebSocket-Extensions': 'permessage-deflate',
  });
  assert.match(response.headers['sec-websocket-extensions'] ?? '', /permessage-deflate/);
  raw.socket_id = JSON.parse((await raw.readEvent()).data).socket_id;
  raw.write(frame(kOpcode.text, kBomb, { rsv: 4 }));
  assert.equal((await raw.readClose()).code, 1009);
  raw.destroy();
  await server.closeLog(raw.socket_id, 'ws_inflated_too_big');
}
// Deflate makes at most 1,032 bytes of one, so what is inside the message limit can claim 128 MiB.
const kBomb = deflateRawSync(Buffer.alloc((kMessageBytes - 1024) * 1000), { level: 9 }).subarray(0, kMessageBytes);

/** Ten malformed messages a minute are forgiven, so one deep text is refused and the connection stays. */
async function deepMessage(server) {
  const raw = await connectRawPusher(server);
  raw.write(text('['.repeat(100_000)));
  const error = await raw.readEvent();
  assert.equal(error.data.reason, 'message_malformed');
  raw.destroy();
}

async function longChannel(server) {
  const raw = await connectRawPusher(server);
  raw.write(subscribe('c'.repeat(64 * 1024)));
  const error = await raw.readEvent();
  assert.equal(error.event, 'pusher:subscription_error');
  assert.equal(error.data.reason, 'channel_name_too_long');
  raw.destroy();
}

// --- over HTTP

/** Plays bytes over a bare connection that must be answered with this reason. */
function answered(reason, status, bytes) {
  return async (server) => {
    assertRow(reason, { httpStatus: status });
    const since = server.logs.length;
    const raw = await connectRaw(server);
    raw.write(bytes);
    try {
      const response = await raw.readResponse();
      assert.equal(response.status, status);
      assert.equal(JSON.parse(response.body).reason, reason);
    } catch (error) {
      // A client that goes on sending megabytes is cut off, and the reset may overtake the answer.
      if (bytes.length < 4 * kMiB || !/ended/.test(error.message)) throw error;
      await server.refusedLog(reason, since);
    }
    raw.destroy();
  };
}

/** A signed publish; `body` goes out as `coded` says. */
function signed(server, body, headers, coded = body) {
  const path = `/apps/${server.app.id}/events`;
  const query = encodeQuery(signedParams(server.app, 'POST', path, body));
  const head = `POST ${path}?${query} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${headers}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(coded)]);
}

const kBigPost = 'POST /apps/app-id/events HTTP/1.1\r\nHost: a\r\n';
const chunk = (size) => `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`;

async function tinyChunks(server) {
  const body = JSON.stringify({ name: 'e', channel: 'c', data: 'x'.repeat(90_000) });
  const coded = `${[...body].map((c) => `1\r\n${c}\r\n`).join('')}0\r\n\r\n`;
  const raw = await connectRaw(server);
  raw.write(signed(server, body, 'Transfer-Encoding: chunked', coded));
  const response = await raw.readResponse();
  assert.equal(response.status, 200, response.body);
  raw.destroy();
}

async function tinyChunksWithoutEnd(server) {
  const raw = await connectRaw(server);
  raw.write(`${kBigPost}Transfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(kBodyBytes + 10)}`);
  const response = await raw.readResponse();
  assert.equal(response.status, 413);
  raw.destroy();
}

async function deepBody(server) {
  const body = `{"name":"e","channel":"c","data":${'['.repeat(100_000)}`;
  const response = await server.request('POST', '/events', { body });
  assert.equal(response.status, 400);
  assert.equal(response.json.reason, 'api_body_invalid');
}

// Name, what it plays, and the limit that bounds the memory it may cost.
const kAttacks = [
  ['a frame that claims 2^63 bytes', closedFor('ws_length_invalid', 1002, claim(1n << 63n)), kMessageBytes],
  ['a frame that claims 2^63 - 1 bytes', closedFor('ws_message_too_big', 1009, claim((1n << 63n) - 1n)), kMessageBytes],
  [
    'a message one byte over the limit',
    closedFor('ws_message_too_big', 1009, frame(kOpcode.text, 'x'.repeat(kMessageBytes + 1))),
    kMessageBytes,
  ],
  [
    'the same in two fragments',
    closedFor(
      'ws_message_too_big',
      1009,
      Buffer.concat([
        frame(kOpcode.text, 'x'.repeat(kMessageBytes), { fin: false }),
        frame(kOpcode.continuation, 'x', { fin: true }),
      ]),
    ),
    kMessageBytes,
  ],
  [
    `${kManyRefused} empty fragments`,
    closedFor(
      'ws_too_many_fragments',
      1008,
      Buffer.concat([
        frame(kOpcode.text, '', { fin: false }),
        times(kManyRefused, frame(kOpcode.continuation, '', { fin: false })),
      ]),
    ),
    kMessageBytes,
  ],
  [
    'a message in fragments of one byte',
    survives(
      Buffer.concat([
        frame(kOpcode.text, '"', { fin: false }),
        times(kMessageBytes - 2, frame(kOpcode.continuation, 'x', { fin: false })),
        frame(kOpcode.continuation, '"', { fin: true }),
      ]),
    ),
    kMessageBytes,
  ],
  ['a deflate bomb', bomb, kMessageBytes],
  ['a channel name of 64 KiB', longChannel, kMessageBytes],
  ['JSON of depth 100000 in a message', deepMessage, kMessageBytes],
  ['JSON of depth 100000 in a publish', deepBody, kBodyBytes],
  [`${kMany} empty pings`, survives(times(kMany, frame(kOpcode.ping)), true), kMiB],
  [`${kMany} unasked pongs`, survives(times(kMany, frame(kOpcode.pong))), kMiB],
  [`${kMany} pusher:ping`, survives(times(kMany, text({ event: 'pusher:ping', data: {} })), true), kMiB],
  [
    `${kMany / 2} times subscribe and unsubscribe`,
    survives(
      times(
        kMany / 2,
        Buffer.concat([subscribe('c'), text({ event: 'pusher:unsubscribe', data: { channel: 'c' } })]),
      ),
      true,
    ),
    // The answers of the channel's home may wait in the mailbox between two shards, which has a place for 65,536.
    24 * kMiB,
  ],
  [`${kMany} subscriptions of one channel again`, survives(times(kMany, subscribe('c')), true), 24 * kMiB],
  [
    'a body that says 20 MB',
    answered('http_body_too_large', 413, `${kBigPost}Content-Length: 20000000\r\n\r\n${'x'.repeat(1000)}`),
    kBodyBytes,
  ],
  [
    'a chunked body of 20 MB',
    answered('http_body_too_large', 413, `${kBigPost}Transfer-Encoding: chunked\r\n\r\n${chunk(16_000).repeat(1250)}`),
    kBodyBytes,
  ],
  [
    'a header line of 1 MB',
    answered('http_header_too_large', 431, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(1_000_000)}`),
    kHeaderBytes,
  ],
  [
    '100000 header lines',
    answered('http_header_too_large', 431, `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(100_000)}`),
    kHeaderBytes,
  ],
  [
    '129 short header lines',
    answered('http_header_too_large', 431, `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(128)}\r\n`),
    kHeaderBytes,
  ],
  ['a publish in chunks of one byte', tinyChunks, kBodyBytes],
  ['chunks of one byte without end', tinyChunksWithoutEnd, kBodyBytes],
];

describe('figure 7: size attacks', () => {
  let server;
  before(async () => {
    server = await startServer({ apps: [{ compression: 'shared', client_messages_per_second: 0 }], limits: { linger_ms_max: 0 } });
  });
  after(() => server?.stop());

  for (const [name, play, limit] of kAttacks) {
    it(name, async () => {
      await play(server);
      // 5: forget the peak of resident memory so far (proc(5)).
      writeFileSync(`/proc/${server.child.pid}/clear_refs`, '5');
      const resident = residentBytes(server);
      const cpu = cpuMs(server);
      await play(server);
      const cost = cpuMs(server) - cpu;
      const growth = residentBytes(server, 'VmHWM') - resident;

      const honest = await startHonest(server);
      await play(server);
      const served = await honest.stop();
      report(`figure 7, ${name}`, {
        processor: ms(cost),
        growth: mib(growth),
        'longest ping beside': ms(served.ping),
        'longest event beside': ms(served.event),
      });
      assert.ok(growth <= 2 * limit + kSlackBytes, `resident memory grew by ${mib(growth)}`);
    });
  }
});
