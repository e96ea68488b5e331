// Figure 8: connections that never finish their request are closed at the handshake timeout, and bad requests at once,
// while honest clients connect.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';

import { reasonRow, startServer } from '../conformance/harness.mjs';
import { kLong, mib, percentile, report, residentBytes, sleep, watchMemory } from './chaos.mjs';

const kSockets = kLong ? 5000 : 500;
const kTimeoutMs = kLong ? 10_000 : 3000;
const kBadPerSecond = kLong ? 500 : 100;
const kHonestPerSecond = 20;
const kBytesPerConnection = 16 * 1024;

const kBadRequests = [
  'nonsense\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  'GET / HTTP/9.9\r\nHost: a\r\n\r\n',
  'GET /app/app-key?protocol=7 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n',
];

/** A socket that sends one byte of a request every 500 ms, or nothing at all. Resolves with its life in ms and its answer. */
function loris(server, silent) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: server.host, port: server.port });
    const text = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(1000)}`;
    let answer = '';
    // From the call on, so that a busy client does not make the server seem hasty.
    const from = performance.now();
    let at = 0;
    let timer;
    socket.on('connect', () => {
      if (!silent) timer = setInterval(() => socket.write(text[at++]), 500);
    });
    socket.on('data', (data) => {
      answer += data.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('end', () => clearInterval(timer));
    socket.on('close', () => {
      clearInterval(timer);
      resolve({ life: performance.now() - from, answer });
    });
  });
}

/** One bad request on a connection of its own; resolves with the status of its answer. */
function badRequest(server, text) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: server.host, port: server.port });
    let answer = '';
    socket.on('connect', () => socket.write(Buffer.from(text, 'latin1')));
    socket.on('data', (data) => {
      answer += data.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(Number(answer.split(' ')[1])));
  });
}

describe('figure 8: handshake abuse', () => {
  let server;
  before(async () => {
    server = await startServer({ http: { handshake_timeout_ms: kTimeoutMs }, log: { level: 'info' } });
  });
  after(() => server?.stop());

  it(`${kSockets} slow requests and ${kBadPerSecond} bad ones a second: each goes in time, honest clients connect`, async () => {
    const before_bytes = residentBytes(server);
    const memory = watchMemory(server);
    let over = false;
    const bad = [];
    const honest = [];
    const every = async (per_second, action) => {
      const start = performance.now();
      for (let i = 0; !over; ++i) {
        action(i);
        await sleep(Math.max(0, start + ((i + 1) * 1000) / per_second - performance.now()));
      }
    };
    const connects = [];
    const background = [
      every(kBadPerSecond, (i) => bad.push(badRequest(server, kBadRequests[i % kBadRequests.length]))),
      every(kHonestPerSecond, () => {
        const from = performance.now();
        connects.push(
          server.connect().then((client) => {
            honest.push(performance.now() - from);
            client.terminate();
          }),
        );
      }),
    ];
    const slow = [];
    for (let i = 0; i < kSockets; ++i) {
      slow.push(loris(server, i % 2 === 0));
      if (i % 100 === 99) await sleep(10);
    }
    const lives = await Promise.all(slow);
    over = true;
    await Promise.all(background);
    await Promise.all(connects);
    const statuses = await Promise.all(bad);
    const growth = memory.stop() - before_bytes;

    const times = lives.map(({ life }) => life);
    report('figure 8', {
      'slow sockets': kSockets,
      timeout: `${kTimeoutMs} ms`,
      'first gone after': `${Math.min(...times).toFixed(0)} ms`,
      'last gone after': `${Math.max(...times).toFixed(0)} ms`,
      'bad requests': statuses.length,
      'honest connects': honest.length,
      'honest p50': `${percentile(honest, 0.5).toFixed(1)} ms`,
      'honest p99': `${percentile(honest, 0.99).toFixed(1)} ms`,
      growth: mib(growth),
    });
    const { http_status } = reasonRow('ws_handshake_timeout');
    for (const { life, answer } of lives) {
      assert.ok(life >= kTimeoutMs - 300 && life <= kTimeoutMs + 3000, `gone after ${life.toFixed(0)} ms`);
      assert.match(answer, new RegExp(`^HTTP/1.1 ${http_status} `), 'a slow request is told why');
    }
    assert.deepEqual([...new Set(statuses)].sort(), [400, 426, 505], 'statuses of bad requests');
    assert.equal(honest.length, connects.length, 'honest connects');
    assert.ok(growth <= kSockets * kBytesPerConnection + 16 * 1024 * 1024, `resident memory grew by ${mib(growth)}`);
  });
});
