// Figure 5: readers that stop reading are closed with a reason, and the others do not notice.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';

import { assertRow, eventually, startServer } from '../conformance/harness.mjs';
import { Fleet, kLong, kMiB, mib, numbered, report, residentBytes, sleep, watchMemory } from './chaos.mjs';

const kReaders = kLong ? 1000 : 100;
const kStalled = 10;
const kPerSecond = 50;
const kBytes = 4096;
const kSeconds = kLong ? 60 : 8;
// A stalled reader falls behind by 200 KiB a second: over the full limits only after some seconds.
const kLimits = kLong ? {} : { outbox_bytes_max: 512 * 1024, outbox_soft_bytes: 256 * 1024, outbox_soft_ms: 10_000 };
const kHardBytes = kLimits.outbox_bytes_max ?? kMiB;

/** Publishes kPerSecond events a second for `seconds`, each at its time; returns how many. */
async function publishSteadily(server, agent, channel, from, seconds) {
  const count = kPerSecond * seconds;
  const start = performance.now();
  const answers = [];
  for (let i = 0; i < count; ++i) {
    const due = start + (i * 1000) / kPerSecond;
    if (due > performance.now()) await sleep(due - performance.now());
    const body = { name: 'e', channel, data: numbered(from + i, kBytes) };
    answers.push(server.request('POST', '/events', { body, agent }).then((answer) => answer.status));
  }
  const statuses = await Promise.all(answers);
  assert.ok(statuses.every((status) => status === 200), `statuses ${[...new Set(statuses)]}`);
  return from + count;
}

const stalledCloses = (server) => server.logs.filter((line) => line.event === 'connection_closed' && /^slow_consumer/.test(line.reason));

describe('figure 5: slow readers', () => {
  let server;
  // One connection, so that the events arrive in the order of their numbers.
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  before(async () => {
    server = await startServer({ limits: kLimits });
  });
  after(async () => {
    agent.destroy();
    await server?.stop();
  });

  it(`${kStalled} of ${kReaders} stop reading: they are closed, the others lose nothing`, async () => {
    assertRow('slow_consumer', { closeCode: 4100 });
    const calm = await Fleet.start(server, { count: kReaders - kStalled, channel: 'calm' });
    await publishSteadily(server, agent, 'calm', 0, kLong ? 20 : 4);
    const baseline = await eventually(async () => {
      const now = await calm.report();
      return now.total === (kReaders - kStalled) * kPerSecond * (kLong ? 20 : 4) ? now : null;
    }, 'all events at all readers');
    assert.equal(baseline.wrong, 0);
    await calm.stop();

    const fleet = await Fleet.start(server, { count: kReaders, stalled: kStalled, channel: 'storm' });
    const before_bytes = residentBytes(server);
    const memory = watchMemory(server);
    const sent = await publishSteadily(server, agent, 'storm', 0, kSeconds);
    const got = await eventually(async () => {
      const now = await fleet.report();
      return now.fewest >= sent ? now : null;
    }, 'all events at the readers that read');
    assert.equal(got.wrong, 0, 'events lost, repeated or out of order');
    assert.equal(got.total, (kReaders - kStalled) * sent);
    assert.deepEqual(got.closed, {}, 'no reader that reads was closed');
    await eventually(() => stalledCloses(server).length === kStalled, 'the closes of all that stall');
    const growth = memory.stop() - before_bytes;
    const bound = kStalled * kHardBytes + 32 * kMiB;
    report('figure 5', {
      readers: kReaders,
      'p99 without': `${baseline.p99} us`,
      'p99 with': `${got.p99} us`,
      'max with': `${got.max} us`,
      growth: mib(growth),
      'bound of growth': mib(bound),
    });
    assert.ok(growth <= bound, `resident memory grew by ${mib(growth)}`);
    await fleet.stop();
  });
});

describe('figure 5: when a reader that stalls is closed', () => {
  for (const [name, limits, bytes, reason] of [
    ['at the hard limit', { outbox_bytes_max: 256 * 1024, outbox_soft_bytes: 200 * 1024 }, 16 * 1024, 'slow_consumer'],
    ['above the soft limit for its time', { outbox_bytes_max: 8 * kMiB, outbox_soft_bytes: 256 * 1024, outbox_soft_ms: 1500 }, 16 * 1024, 'slow_consumer_soft'],
  ]) {
    it(`${name}: ${reason}`, async () => {
      const server = await startServer({ limits, server: { shards: 1 } });
      try {
        const fleet = await Fleet.start(server, { count: 1, stalled: 1, channel: 'c' });
        const isSoft = reason === 'slow_consumer_soft';
        const limit = isSoft ? limits.outbox_soft_bytes : limits.outbox_bytes_max;
        // The kernel holds some of it.
        const events = Math.ceil((4 * limit) / bytes);
        for (let i = 0; i < events; ++i) await server.publish('c', 'e', numbered(i, bytes));
        const passed = performance.now();
        await eventually(() => stalledCloses(server).length === 1, 'the close');
        const took = performance.now() - passed;
        assert.equal(stalledCloses(server)[0].reason, reason);
        // The descriptor goes two seconds after the close frame at the latest; the rest is generosity to slow machines.
        const due = isSoft ? limits.outbox_soft_ms : 0;
        assert.ok(took <= due + 2000 + 5000, `closed after ${took.toFixed(0)} ms`);
        if (isSoft) assert.ok(took >= due - 500, `closed after ${took.toFixed(0)} ms already`);
        report(`figure 5, ${reason}`, { 'closed after': `${took.toFixed(0)} ms`, 'allowed before the close': `${due} ms` });
        await fleet.stop();
        await server.stop();
      } catch (error) {
        await server.kill9();
        throw error;
      }
    });
  }
});
