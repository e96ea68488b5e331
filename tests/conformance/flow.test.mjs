// Flow rules end to end: the plant of the first system, with stock pusher-js and socket.io-client readers.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { configText, eventually, kBinary, kRepoRoot, startServer } from './harness.mjs';
import { connected, disconnectAll, pusherJs, subscribed } from './sdk_clients.mjs';
import { closeSioClients, sioCall, sioConnected } from './sio_clients.mjs';
import { startTarget } from './sio_target.mjs';

/** The rules of the example as they stand there, but for a shorter window. */
const kExample = path.join(kRepoRoot, 'examples/scada/kilat.toml');
const kScada = [...readFileSync(kExample, 'utf8').matchAll(/^ {2}"(scada-data \w+=.*to=.*)",$/gm)].map(([, rule]) => rule.replace('=1s', '=200ms'));

const kFlow = [
  ...kScada,
  'fast throttle=50ms',
  'plant.{line} aggregate=100ms value=/v to=figures.{line} as=figures',
];

describe('flow', () => {
  let target;
  let server;
  before(async () => {
    target = await startTarget({ apps: [{ flow: kFlow }] });
    server = target.server;
  });
  after(async () => {
    disconnectAll();
    closeSioClients();
    await target?.stop();
  });

  const reading = (channel, value) => ({ data: { channel, value, unit: '°C' }, timestamp: new Date().toISOString(), channel });

  /** What a reader of `channel` has got: [event, data]. */
  async function follow(client, name) {
    const got = [];
    const [channel] = await subscribed(client, name);
    channel.bind_global((event, data) => { if (!event.startsWith('pusher:')) got.push([event, data]); });
    return got;
  }

  it('the example is a configuration that the server takes', () => {
    assert.equal(kScada.length, 3);
    execFileSync(kBinary, ['check', '--config', kExample], { env: { ...process.env, KILAT_APP_SECRET: 'plant-secret' }, stdio: 'pipe' });
  });

  it('one stream of readings becomes a batch, an aggregated and a live channel', async () => {
    const client = pusherJs(server);
    await connected(client);
    const raw = await follow(client, 'scada-data');
    const batches = await follow(client, 'scada-batch');
    const aggregated = await follow(client, 'scada-aggregated');
    const live = await follow(client, 'scada-realtime');
    const sent = { a: [], b: [], c: [] };
    for (let i = 0; i < 120; i++) {
      const sensor = 'abc'[i % 3];
      const value = Math.round(i * 37) / 100;
      sent[sensor].push(value);
      await server.publish('scada-data', 'scada.data.received', JSON.stringify(reading(sensor, value)));
    }
    await eventually(() => raw.length === 120, 'all readings');
    const counted = (events, sensor) => events.reduce((sum, [, { data }]) => sum + (data[sensor]?.count ?? 0), 0);
    await eventually(() => ['a', 'b', 'c'].every((sensor) => counted(batches, sensor) === 40), 'every reading in a batch');
    for (const sensor of ['a', 'b', 'c']) {
      const figures = batches.map(([, { data }]) => data[sensor]).filter(Boolean);
      const sum = figures.reduce((total, one) => total + one.sum, 0);
      assert.equal(sum.toFixed(2), sent[sensor].reduce((total, value) => total + value, 0).toFixed(2));
      assert.equal(Math.min(...figures.map(({ min }) => min)), Math.min(...sent[sensor]));
      assert.equal(Math.max(...figures.map(({ max }) => max)), Math.max(...sent[sensor]));
      for (const { average, sum: of, count } of figures) assert.ok(Math.abs(average - of / count) < 1e-9);
    }
    assert.ok(batches.every(([event]) => event === 'scada.batch.processed'));
    assert.ok(batches.every(([, { channel, timestamp }]) => channel === 'scada-batch' && Date.parse(timestamp) % 200 === 0));
    assert.equal(new Set(batches.map(([, { batchId }]) => batchId)).size, batches.length);
    await eventually(() => ['a', 'b', 'c'].every((sensor) => counted(aggregated, sensor) === 40), 'every reading aggregated');
    assert.ok(aggregated.every(([event, { channel }]) => event === 'scada.aggregated.updated' && channel === 'scada-aggregated'));
    assert.ok(aggregated.length < 120);
    const newest = (sensor) => live.filter(([, { channel }]) => channel === sensor).at(-1)?.[1].data.value;
    await eventually(() => ['a', 'b', 'c'].every((sensor) => newest(sensor) === sent[sensor].at(-1)), 'the newest of each sensor');
    assert.ok(live.every(([event]) => event === 'scada.data.received'));
  });

  it('a rule in place thins a channel out for readers of both protocols alike', async () => {
    const client = pusherJs(server);
    await connected(client);
    const got = await follow(client, 'fast');
    const socket = await sioConnected(target, { transports: ['websocket'] });
    const heard = [];
    socket.on('tick', (data) => heard.push(data));
    assert.equal((await sioCall(socket, 'subscribe', { channel: 'fast' })).ok, true);
    for (let i = 1; i <= 60; i++) await server.publish('fast', 'tick', JSON.stringify({ i }));
    await eventually(() => got.at(-1)?.[1].i === 60 && heard.at(-1)?.i === 60, 'the last one');
    assert.deepEqual(heard, got.map(([, data]) => data));
    assert.ok(got.length < 60);
  });

  it('captures name the channel of the result', async () => {
    const client = pusherJs(server);
    await connected(client);
    const seven = await follow(client, 'figures.7');
    const eight = await follow(client, 'figures.8');
    await server.publish('plant.7', 'x', '{"v":1.50}');
    await server.publish('plant.7', 'x', '{"v":2.25}');
    await server.publish('plant.7', 'x', 'no JSON');
    await eventually(() => seven.reduce((sum, [, { values }]) => sum + values.count, 0) === 2, 'both');
    assert.equal(eight.length, 0);
  });

  it('a client may have a channel folded for itself alone', async () => {
    const plain = await server.connect();
    await plain.subscribe('ticks');
    const slow = await server.connect();
    await slow.subscribe('ticks', { flow: { max_rate: 5 } });
    const newest = await server.connect({ perMessageDeflate: true });
    await newest.subscribe('ticks', { flow: { conflate: 200, key: '/id' } });
    const batched = await server.connect();
    await batched.subscribe('ticks', { flow: { conflate: 200, key: '/id', batch: true } });
    for (let i = 1; i <= 60; i++) await server.publish('ticks', 't', JSON.stringify({ id: i % 3, i }));
    const data = (client) => client.all('t', 'ticks').map((frame) => JSON.parse(frame.data));
    await plain.until(() => data(plain).length === 60, 'all');
    await slow.until(() => data(slow).at(-1)?.i === 60, 'the last one');
    assert.ok(data(slow).length < 60);
    const last = (list, id) => list.filter((one) => one.id === id).at(-1)?.i;
    await newest.until(() => [58, 59, 60].every((i) => last(data(newest), i % 3) === i), 'the newest of each key');
    assert.ok(data(newest).length < 60);
    await batched.until(() => [58, 59, 60].every((i) => last(data(batched).flat(), i % 3) === i), 'the newest of each key');
    assert.ok(data(batched).every(Array.isArray));
    slow.unsubscribe('ticks');
    await slow.ping();
    await slow.subscribe('ticks');
    const before = data(slow).length;
    for (let i = 61; i <= 70; i++) await server.publish('ticks', 't', JSON.stringify({ id: 0, i }));
    await slow.until(() => data(slow).length === before + 10, 'all again');
  });

  it('a wish that makes no sense is answered, and the channel comes as it is', async () => {
    const senseless = [
      {}, { max_rate: 0 }, { max_rate: -1 }, { max_rate: 'x' }, { max_rate: 1_001 }, { max_rate: 0.016 }, { max_rate: 5, batch: true },
      { conflate: 0 }, { conflate: 1.5 }, { conflate: 60_001 }, { conflate: 100, max_rate: 1 }, { conflate: 'x', max_rate: 1 },
      { conflate: 100, key: 'a b' }, { conflate: 100, key: 'x' }, { conflate: 100, key: 5 }, { conflate: 100, batch: 'yes' },
      'x', [], 5, true,
    ];
    for (const flow of senseless) {
      const client = await server.connect();
      const from = client.frames.length;
      await client.subscribe('ticks', { flow });
      const error = await client.waitFor('pusher:error', { from });
      assert.equal(error.data.reason, 'flow_invalid', JSON.stringify(flow));
      await client.barrier('ticks');
      await client.close();
    }
    const plain = await server.connect();
    await plain.subscribe('ticks', { flow: null });
    await plain.barrier('ticks');
    for (const flow of [{ max_rate: 1 / 60 }, { max_rate: 1_000 }, { conflate: 60_000 }, { conflate: 1, batch: false }]) {
      await plain.subscribe(`wish-${JSON.stringify(flow).replaceAll(/[^a-z0-9]/g, '-')}`, { flow });
    }
    assert.deepEqual(plain.all('pusher:error'), []);
    const many = await server.connect();
    for (let i = 0; i < 33; i++) await many.subscribe(`many-${i}`, { flow: { max_rate: 1 } });
    assert.equal(many.all('pusher:error').length, 1);
  });

  it('what is held for one client alone counts for its limits', async () => {
    const own = await startServer({ apps: [{}], limits: { outbox_bytes_max: 512 * 1024, outbox_soft_bytes: 128 * 1024 } });
    const greedy = await own.connect();
    const channels = ['a', 'b', 'c', 'd'];
    for (const channel of channels) await greedy.subscribe(channel, { flow: { conflate: 60_000, key: '/k' } });
    const padding = 'x'.repeat(9_000);
    for (let k = 0; k < 28 && !greedy.closed; k++) {
      for (const channel of channels) await own.publish(channel, 'e', JSON.stringify({ k, padding }));
    }
    await own.closeLog(greedy.socket_id, 'slow_consumer');
    await own.stop();
  });

  it('an app may do without wishes of its clients', async () => {
    const own = await startServer({ apps: [{ client_flow: false, history: ['kept'] }] });
    const client = await own.connect();
    const { data } = await client.subscribe('kept', { flow: { conflate: 60_000 }, recover: true });
    assert.ok(JSON.parse(data).position);
    const error = await client.waitFor('pusher:error');
    assert.equal(error.data.reason, 'flow_invalid');
    assert.match(error.data.message, /client_flow/);
    await client.barrier('kept');
    await own.stop();
  });

  it('rules that would hold what is to be on disk are refused when the configuration is read', () => {
    const check = (app) => {
      const directory = mkdtempSync(path.join(tmpdir(), 'kilat-flow-check-'));
      const file = path.join(directory, 'kilat.toml');
      const stores = { history: { file: path.join(directory, 'h.db') }, ingest: { file: path.join(directory, 'i.db') } };
      writeFileSync(file, configText({ apps: [app], ...stores }));
      const { status, stdout, stderr } = spawnSync(kBinary, ['check', '--config', file], { encoding: 'utf8' });
      rmSync(directory, { recursive: true });
      return { status, text: stdout + stderr };
    };
    const kCases = [
      ['refused', ['d.* batch=1s'], ['d.* durable']],
      ['refused', ['* conflate=1s'], ['d durable']],
      ['refused', ['d throttle=1s'], ['* durable']],
      ['refused', ['private-d batch=1s'], ['d durable']],
      ['warned', ['d.{x} batch=1s'], ['d.*.y durable']],
      ['warned', ['d batch=1s on=figures'], ['d durable']],
      ['taken', ['d.* batch=1s to=e', 'd.* sample=2', 'd.* throttle=1s edges=leading'], ['d.* durable']],
      ['taken', ['d.* batch=1s'], ['e.* durable', 'd.* size=10']],
      ['taken', ['d batch=1s'], ['d none', '* durable']],
      ['taken', ['private-d.* batch=1s'], ['presence-d.* durable']],
    ];
    for (const [what, flow, history] of kCases) {
      const { status, text } = check({ flow, history });
      assert.equal(status === 0, what !== 'refused', `${flow} beside ${history}: ${text}`);
      assert.equal(/holds? events of/.test(text), what !== 'taken', text);
    }
    assert.notEqual(check({ flow: ['readings* batch=1s'], ingest_channel: 'readings-1' }).status, 0);
    assert.equal(check({ flow: ['readings* batch=1s to=b'], ingest_channel: 'readings-1' }).status, 0);
    assert.notEqual(check({ flow: ['a conflate=1s to=private-encrypted-b'] }).status, 0);
  });

  it('a reload brings rules and takes them away; what they hold is sent', async () => {
    const own = await startServer({ apps: [{ flow: ['slow throttle=1h'] }] });
    const client = await own.connect();
    await client.subscribe('slow');
    await own.publish('slow', 'e', '1');
    await own.publish('slow', 'e', '2');
    await client.waitFor((frame) => frame.data === '1');
    assert.equal(client.all('e').length, 1);
    writeFileSync(path.join(own.directory, 'kilat.toml'), configText({ apps: [{ flow: [] }] }));
    own.child.kill('SIGHUP');
    await client.waitFor((frame) => frame.data === '2');
    await own.publish('slow', 'e', '3');
    await own.publish('slow', 'e', '4');
    await client.waitFor((frame) => frame.data === '4');
    assert.equal(client.all('e').length, 4);
    await own.stop();
  });

  it('a stop sends what is held before the connections end', async () => {
    const own = await startServer({ apps: [{ flow: ['slow throttle=1h'] }] });
    const client = await own.connect();
    await client.subscribe('slow');
    await own.publish('slow', 'e', '1');
    await own.publish('slow', 'e', 'last');
    own.child.kill('SIGTERM');
    await client.waitFor((frame) => frame.data === 'last', { even_closed: true });
    await own.stop();
  });
});
