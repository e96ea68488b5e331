// Cases 132-134: orderly stop, leaks and slow readers.
// KILAT_LEAK_ROUNDS (default 10000) and KILAT_SLOW_EVENTS (default 100000) may be lowered for very slow builds.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { expectClose } from './asserts.mjs';
import { assertRow, eventually, startServer } from './harness.mjs';
import { send } from './http_client.mjs';
import { connectRawPusher } from './raw_ws.mjs';

const kLeakRounds = Number(process.env.KILAT_LEAK_ROUNDS || 10_000);
const kSlowEvents = Number(process.env.KILAT_SLOW_EVENTS || 100_000);
const kMiB = 1024 * 1024;

/** Resident memory of a server in bytes. */
function residentBytes(server) {
  const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * 1024;
}

// The sanitizer keeps freed memory back for a while; a small store of it lets resident memory tell something.
const kEnv = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=4` };

describe('stop', () => {
  it('case 132: SIGTERM fails readiness, sends 4200 to all and to newcomers, and ends with code 0', async () => {
    assertRow('server_draining', { closeCode: 4200, pusherCode: 4200, httpStatus: 503 });
    const server = await startServer({ server: { drain_ms: 5000 } });
    try {
      const clients = await Promise.all(Array.from({ length: 30 }, () => server.connect()));
      for (const client of clients) await client.subscribe('case-132');
      const since = server.logs.length;
      server.child.kill('SIGTERM');
      await eventually(async () => (await send(server, 'GET', '/ready')).status === 503, '/ready to fail');
      const late = await server.connect({ established: false });
      await expectClose(late, 'server_draining', { since });
      for (const client of clients) await expectClose(client, 'server_draining', { since });
      const how = await server.exited;
      assert.deepEqual(how, { code: 0, signal: null });
      await server.stop();
    } catch (error) {
      await server.kill9();
      throw error;
    }
  });

  it('case 132: a server without connections ends at once', async () => {
    const server = await startServer({ server: { drain_ms: 100 } });
    await server.stop();
    assert.deepEqual(server.ended, { code: 0, signal: null });
  });
});

describe('leak', () => {
  let server;
  before(async () => {
    server = await startServer({ env: kEnv, log: { level: 'info' } });
  });
  after(() => server?.stop());

  it('case 133: connecting, subscribing and dropping many times leaves nothing behind', async () => {
    const round = async (i) => {
      const raw = await connectRawPusher(server);
      raw.sendEvent({ event: 'pusher:subscribe', data: { channel: `case-133-${i}`, auth: '' } });
      const frame = await raw.readEvent();
      assert.equal(frame.event, 'pusher_internal:subscription_succeeded');
      if (i % 2 === 0) raw.reset();
      else raw.destroy();
    };
    const rounds = async (from, to) => {
      let next = from;
      const worker = async () => {
        while (next < to) await round(next++);
      };
      await Promise.all(Array.from({ length: 20 }, worker));
    };
    const isEmpty = async () => {
      const [channels, connections] = [
        await server.request('GET', '/channels'),
        await server.request('GET', '/connections'),
      ];
      return Object.keys(channels.json.channels).length === 0 && connections.json.connections === 0;
    };
    const warm_up = Math.ceil(kLeakRounds / 4);
    await rounds(0, warm_up);
    await eventually(isEmpty, 'no channel and no connection after the warm-up');
    const resident = residentBytes(server);
    await rounds(warm_up, kLeakRounds);
    await eventually(isEmpty, 'no channel and no connection');
    const growth = residentBytes(server) - resident;
    assert.ok(growth < 16 * kMiB, `resident memory grew by ${(growth / kMiB).toFixed(1)} MiB`);
  });
});

describe('slow', () => {
  const kBatch = 1000;
  let server;
  before(async () => {
    server = await startServer({
      apps: [{ batch_max: kBatch }],
      http: { body_bytes_max: 4 * kMiB },
      limits: { outbox_bytes_max: 512 * 1024, outbox_soft_bytes: 256 * 1024, outbox_soft_ms: 60_000 },
      env: kEnv,
    });
  });
  after(() => server?.stop());

  it('case 134: a reader that stops is closed with 4100 and is not felt by others', async () => {
    assertRow('slow_consumer', { closeCode: 4100, pusherCode: 4100 });
    const slow = await connectRawPusher(server);
    slow.sendEvent({ event: 'pusher:subscribe', data: { channel: 'case-134', auth: '' } });
    await slow.readEvent();
    const readers = await Promise.all([server.connect(), server.connect(), server.connect()]);
    // Counting instead of keeping: the recording of 100000 frames is not what is tested.
    const seen = readers.map(() => 0);
    let disorder = null;
    for (const [k, reader] of readers.entries()) {
      await reader.subscribe('case-134');
      reader.socket.removeAllListeners('message');
      reader.socket.on('message', (data) => {
        const number = Number(JSON.parse(JSON.parse(data.toString()).data).i);
        if (number !== seen[k]) disorder ??= `reader ${k}: ${number} instead of ${seen[k]}`;
        seen[k] = number + 1;
      });
    }
    const resident = residentBytes(server);
    slow.socket.pause();
    const filler = 'x'.repeat(200);
    for (let i = 0; i < kSlowEvents; i += kBatch) {
      const batch = Array.from({ length: Math.min(kBatch, kSlowEvents - i) }, (_, k) => ({
        name: 'e',
        channel: 'case-134',
        data: JSON.stringify({ i: i + k, filler }),
      }));
      const response = await server.request('POST', '/batch_events', { body: { batch } });
      assert.equal(response.status, 200, response.text);
      // The healthy readers keep up, so that only the stopped one is behind.
      const sent = i + batch.length;
      await eventually(() => seen.every((count) => count === sent) || disorder, `${sent} events at every reader`);
      assert.equal(disorder, null);
    }
    await server.closeLog(slow.socket_id, 'slow_consumer');
    const growth = residentBytes(server) - resident;
    assert.ok(growth < 64 * kMiB, `resident memory grew by ${(growth / kMiB).toFixed(1)} MiB`);
    assert.deepEqual(seen, readers.map(() => kSlowEvents));
    for (const reader of readers) assert.equal(reader.closed, null);
    slow.destroy();
  });

  it('case 134: a connection behind for longer than the soft limit allows is closed too', async () => {
    assertRow('slow_consumer_soft', { closeCode: 4100, pusherCode: 4100 });
    const soft = await startServer({
      limits: { outbox_bytes_max: 64 * kMiB, outbox_soft_bytes: 64 * 1024, outbox_soft_ms: 500 },
    });
    try {
      const slow = await connectRawPusher(soft);
      slow.sendEvent({ event: 'pusher:subscribe', data: { channel: 'case-134', auth: '' } });
      await slow.readEvent();
      slow.socket.pause();
      const data = 'x'.repeat(90_000);
      await eventually(async () => {
        // The kernel takes some megabytes before anything is queued in the server; well below the hard limit.
        const closed = soft.closedReasons().includes('slow_consumer_soft');
        if (!closed) await soft.publish('case-134', 'e', data);
        return closed;
      }, 'the close of the slow reader');
      await soft.closeLog(slow.socket_id, 'slow_consumer_soft');
      slow.destroy();
      await soft.stop();
    } catch (error) {
      await soft.kill9();
      throw error;
    }
  });
});
