// Handshakes of TLS that stop half-way: each ends at the handshake timeout and holds little memory, while honest clients
// are served over TLS and without.
import assert from 'node:assert/strict';
import net from 'node:net';
import tls from 'node:tls';
import { after, before, describe, it } from 'node:test';

import { Authority, openSecure, startTlsServer, subscribe } from '../conformance/tls_lab.mjs';
import { kLong, mib, ms, percentile, report, residentBytes, sleep, startHonest, watchMemory } from './chaos.mjs';

const kSockets = kLong ? 5000 : 500;
const kTimeoutMs = kLong ? 10_000 : 3000;
// OpenSSL's state of a handshake with its buffers, and ours.
const kBytesPerConnection = 64 * 1024;

/** The ClientHello of a real client. */
function clientHello() {
  return new Promise((resolve) => {
    const listener = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (bytes) => {
        socket.destroy();
        listener.close();
        resolve(bytes);
      });
    });
    listener.listen(0, '127.0.0.1', () => {
      tls.connect({ host: '127.0.0.1', port: listener.address().port }).on('error', () => {});
    });
  });
}

/** Sends `bytes`, then nothing. Resolves with its life in ms and what came back. */
function stalled(server, bytes) {
  return new Promise((resolve) => {
    // From the call on, so that a busy client does not make the server seem hasty.
    const from = performance.now();
    let answer = 0;
    const socket = net.connect({ host: server.host, port: server.tls_port }, () => bytes.length > 0 && socket.write(bytes));
    socket.on('data', (data) => {
      answer += data.length;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve({ life: performance.now() - from, answer }));
  });
}

describe('TLS handshakes that stop half-way', () => {
  let authority;
  let server;
  before(async () => {
    authority = new Authority();
    server = await startTlsServer(authority, { http: { handshake_timeout_ms: kTimeoutMs } });
  });
  after(async () => {
    await server?.stop();
    authority.remove();
  });

  it(`${kSockets} of them: each goes in time, honest clients come and are served`, async () => {
    const hello = await clientHello();
    // Nothing, a cut record header, half a ClientHello, and a whole one whose sender never answers.
    const beginnings = [Buffer.alloc(0), hello.subarray(0, 3), hello.subarray(0, hello.length >> 1), hello];
    const before_bytes = residentBytes(server);
    const memory = watchMemory(server);
    const honest = await startHonest(server);
    const slow = [];
    for (let i = 0; i < kSockets; ++i) {
      slow.push(stalled(server, beginnings[i % beginnings.length]));
      if (i % 100 === 99) await sleep(10);
    }
    let over = false;
    const connects = [];
    const arriving = (async () => {
      for (let i = 0; !over; ++i) {
        const from = performance.now();
        const client = await openSecure(server, authority);
        await subscribe(client, `newcomer-${i}`);
        connects.push(performance.now() - from);
        client.terminate();
        await sleep(50);
      }
    })();
    arriving.catch(() => {});
    const lives = await Promise.all(slow);
    over = true;
    await arriving;
    const served = await honest.stop();
    const growth = memory.stop() - before_bytes;

    const times = lives.map(({ life }) => life);
    report('TLS handshake abuse', {
      'stalled handshakes': kSockets,
      timeout: `${kTimeoutMs} ms`,
      'first gone after': ms(Math.min(...times)),
      'last gone after': ms(Math.max(...times)),
      'honest TLS connects': connects.length,
      'connect p50': ms(percentile(connects, 0.5)),
      'connect max': ms(Math.max(...connects)),
      'event max': ms(served.event),
      growth: mib(growth),
    });
    lives.forEach(({ life, answer }, i) => {
      assert.ok(life >= kTimeoutMs - 300 && life <= kTimeoutMs + 5000, `gone after ${life.toFixed(0)} ms`);
      // Only who said hello got anything: the server's half of the handshake.
      const whole = i % beginnings.length === beginnings.length - 1;
      assert.equal(answer > 0, whole, `${answer} bytes came back`);
    });
    const refused = server.logs.filter((line) => line.event === 'refused' && line.reason === 'ws_handshake_timeout');
    assert.equal(refused.length, kSockets, 'refusals with the reason');
    assert.ok(connects.length > 0, 'somebody came meanwhile');
    assert.ok(growth <= kSockets * kBytesPerConnection + 16 * 1024 * 1024, `resident memory grew by ${mib(growth)}`);
    // And the port is as it was.
    const client = await openSecure(server, authority);
    await subscribe(client, 'afterwards');
    client.terminate();
  });
});
