// Figure 6: when readers that do not read hold more than a shard may, those that hold most are closed, memory stays
// within the budget, and publishing goes on.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';

import { assertRow, eventually, startServer } from '../conformance/harness.mjs';
import { Fleet, kLong, kMiB, mib, ms, numbered, percentile, report, residentBytes, startHonest, watchMemory } from './chaos.mjs';

const kReaders = kLong ? 10_000 : 1000;
const kOffenders = 20;
const kBudget = (kLong ? 512 : 64) * kMiB;
const kEventBytes = 40 * 1024;
// The kernel holds up to 250 KiB for a reader that stalls, so this leaves some 200 KiB in the outbox.
const kEventsEach = 11;
const kBatch = 20;
const kGrowthMax = 1.2;
// Generous: nothing in the server takes longer than some milliseconds, but the machine may.
const kPublishMsMax = 5000;

const evicted = (server) => server.logs.filter((line) => line.event === 'connection_closed' && line.reason === 'memory_budget');

describe('figure 6: memory budget', () => {
  let server;
  let fleet;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const took = [];
  const statuses = new Map();
  before(async () => {
    server = await startServer({
      apps: [{ batch_max: kBatch }],
      // Below the limit of each reader, so that only the sum closes anybody. One shard: what the budget belongs to.
      limits: { shard_budget_bytes: kBudget, outbox_bytes_max: 8 * kMiB, outbox_soft_bytes: 4 * kMiB },
      server: { shards: 1 },
    });
    fleet = await Fleet.start(server, { count: kReaders, stalled: kReaders, channel: 'r%' });
  });
  after(async () => {
    agent.destroy();
    await fleet?.stop();
    await server?.stop();
  });

  /** One event of kEventBytes to each of the channels; a 503 must carry Retry-After and is not repeated. */
  async function publish(readers) {
    const batches = [];
    for (let i = 0; i < readers.length; i += kBatch) batches.push(readers.slice(i, i + kBatch));
    const worker = async () => {
      for (let slice = batches.pop(); slice; slice = batches.pop()) {
        const batch = slice.map((reader) => ({ name: 'e', channel: `r${reader}`, data: numbered(0, kEventBytes) }));
        const from = performance.now();
        const answer = await server.request('POST', '/batch_events', { body: { batch }, agent });
        took.push(performance.now() - from);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        if (answer.status === 503) assert.ok(Number(answer.headers['retry-after']) > 0, 'Retry-After');
        else assert.equal(answer.status, 200, answer.text);
      }
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
  }

  const connections = async () => (await server.request('GET', '/connections', { agent })).json.connections;

  it(`${kReaders} readers of 200 KiB each under a budget of ${kBudget / kMiB} MiB: the largest go first`, async () => {
    assertRow('memory_budget', { closeCode: 4100 });
    const base = residentBytes(server);
    const memory = watchMemory(server);
    const offenders = Array.from({ length: kOffenders }, (_, i) => i);
    const others = Array.from({ length: kReaders - kOffenders }, (_, i) => kOffenders + i);
    // Some 800 KiB of them lie in the outbox of each offender; all others get a little each until somebody is closed.
    for (let i = 0; i < 25; ++i) await publish(offenders);
    assert.equal(await connections(), kReaders, 'nobody is closed below the budget');
    let round = 0;
    while ((await connections()) === kReaders) {
      assert.ok(round < kEventsEach, 'the budget is passed');
      const left = others.slice();
      while (left.length > 0 && (await connections()) === kReaders) await publish(left.splice(0, 100));
      ++round;
    }
    const { channels } = (await server.request('GET', '/channels', { agent })).json;
    const first = offenders.filter((reader) => !channels[`r${reader}`]);
    const innocent = others.filter((reader) => !channels[`r${reader}`]);
    assert.ok(first.length > 0, 'offenders are closed');
    assert.deepEqual(innocent, [], 'readers closed before those that hold most');

    // Now everybody to 200 KiB in the outbox, an honest client beside: most have to go.
    const honest = await startHonest(server);
    for (; round < kEventsEach; ++round) await publish(others);
    const served = await honest.stop();
    await eventually(() => evicted(server).length > 0, 'evictions in the log');
    const highest = memory.stop();
    report('figure 6', {
      readers: kReaders,
      budget: mib(kBudget),
      base: mib(base),
      highest: mib(highest),
      bound: mib(base + kGrowthMax * kBudget),
      evicted: evicted(server).length,
      'offenders gone first': first.length,
      publishes: took.length,
      statuses: JSON.stringify(Object.fromEntries(statuses)),
      'publish p50': ms(percentile(took, 0.5)),
      'p99': ms(percentile(took, 0.99)),
      'longest': ms(percentile(took, 1)),
      'longest ping beside': ms(served.ping),
    });
    assert.ok(highest <= base + kGrowthMax * kBudget, `resident memory ${mib(highest)}`);
    assert.ok(percentile(took, 1) <= kPublishMsMax, `a publish took ${ms(percentile(took, 1))}`);
  });

  it('the server serves on, and the memory comes back when the readers go', async () => {
    await fleet.stop();
    const gone = async () => Object.keys((await server.request('GET', '/channels')).json.channels).length === 0;
    await eventually(gone, 'no channel left');
    const client = await server.connect();
    await client.subscribe('after');
    await server.publish('after', 'e', 'hello');
    await client.waitFor((frame) => frame.event === 'e' && frame.data === 'hello');
    report('figure 6, after', { resident: mib(residentBytes(server)) });
  });
});
