// Durable ingest end to end: what was answered 202 is stored once and published, whatever happens to the server.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { expectHttpError } from './asserts.mjs';
import { configText, eventually, kBinary, startServer } from './harness.mjs';
import { request, send } from './http_client.mjs';

const kNdjson = { 'Content-Type': 'application/x-ndjson' };
// Most of their readings are of a day that goes by: they are kept for a hundred years.
const kScada = { ingest_channel: 'scada-data', ingest_event: 'scada.data.received', ingest_keep: 36_500 * 86_400 };

describe('ingest', () => {
  let folder;
  before(() => { folder = mkdtempSync(path.join(tmpdir(), 'kilat-ingest-')); });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name) => path.join(folder, name);
  const start = (name, app = {}, options = {}) =>
    startServer({ apps: [{ ...kScada, ...app }], ingest: { file: file(name) }, ...options });
  const lines = (readings) => readings.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n');
  const ingest = (server, body, options = {}) => request(server, 'POST', '/ingest', { body, ...options });
  const ingestLines = (server, readings, headers = {}) => ingest(server, lines(readings), { headers: { ...kNdjson, ...headers } });
  const get = async (server, what, query = {}) => {
    const answer = await server.request('GET', what, { query });
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  };
  const idle = (server) => eventually(async () => (await get(server, '/ingest')).jobs === 0, 'an empty queue');

  /** All stored readings of a sensor, page by page. */
  async function stored(server, sensor) {
    const all = [];
    for (let after; ;) {
      const page = await get(server, '/readings', { sensor, limit: '1000', ...(after ? { after } : {}) });
      all.push(...page.readings);
      if (page.next === null) return all;
      after = page.next;
    }
  }

  it('one reading, an array and lines arrive as events, byte for byte, and in the table', async () => {
    const server = await start('shapes.db');
    const client = await server.connect();
    await client.subscribe('scada-data');
    const one = '{"channel":"temp-1","value":20.50,"timestamp":1795289633,"unit":"°C","big":12345678901234567890123}';
    const first = await ingest(server, one);
    assert.equal(first.status, 202, first.text);
    assert.deepEqual(Object.keys(first.json), ['accepted', 'job']);
    assert.equal(first.json.accepted, 1);
    const array = await ingest(server, '[ {"channel":"temp-2","value":1e2,"timestamp":"2026-11-21T19:33:53.250Z"} , {"channel":7} ]');
    assert.equal(array.json.accepted, 2);
    const many = await ingestLines(server, [{ channel: 'temp-3', value: 1 }, '', { channel: 'temp-3', value: null }]);
    assert.equal(many.json.accepted, 2);
    await client.until(() => client.all('scada.data.received').length === 5, 'five events');
    const datas = client.all('scada.data.received').map((frame) => frame.data);
    assert.equal(datas[0], `{"data":${one},"timestamp":"2026-11-21T19:33:53.000Z","channel":"temp-1"}`);
    assert.equal(datas[1], '{"data":{"channel":"temp-2","value":1e2,"timestamp":"2026-11-21T19:33:53.250Z"},"timestamp":"2026-11-21T19:33:53.250Z","channel":"temp-2"}');
    assert.equal(JSON.parse(datas[2]).channel, '7');
    const { text } = await server.request('GET', '/readings', { query: { sensor: 'temp-1' } });
    assert.equal(text, `{"sensor":"temp-1","readings":[{"time":1795289633000,"value":20.50,"data":${one}}],"next":null}`);
    const { sensors } = await get(server, '/sensors');
    assert.deepEqual(sensors.map(({ sensor, value }) => [sensor, value]), [['7', null], ['temp-1', 20.5], ['temp-2', 100], ['temp-3', null]]);
    assert.deepEqual((await get(server, '/sensors', { after: 'temp-1', limit: '1' })).sensors.map(({ sensor }) => sensor), ['temp-2']);
    await idle(server);
    assert.deepEqual(await get(server, '/ingest'), { jobs: 0, readings: 0, bytes: 0, oldest: null, failed_jobs: 0, failed_bytes: 0 });
    await server.stop();
  });

  it('a bearer key is as good as a signature; a wrong one is refused', async () => {
    const server = await start('bearer.db', { api_key: 'bearer-key' });
    const post = (key) => send(server, 'POST', '/apps/app-id/ingest', { body: '{"value":1}', headers: { Authorization: `Bearer ${key}` } });
    assert.equal((await post('bearer-key')).status, 202);
    await expectHttpError(server, await post('other-key'), 'api_key_invalid');
    await server.stop();
  });

  it('gzip is unpacked, in several members too, and bounded', async () => {
    const server = await start('gzip.db', {}, { http: { body_bytes_max: 65_536 } });
    const packed = Buffer.concat([gzipSync('{"channel":"g","value":1}\n'), gzipSync('{"channel":"g","value":2}')]);
    const headers = { ...kNdjson, 'Content-Encoding': 'gzip' };
    assert.equal((await ingest(server, packed, { headers })).json?.accepted, 2);
    await expectHttpError(server, await ingest(server, gzipSync(' '.repeat(100_000)), { headers }), 'http_body_too_large');
    await expectHttpError(server, await ingest(server, packed.subarray(0, -5), { headers }), 'ingest_body_invalid');
    await expectHttpError(server, await ingest(server, '{}', { headers: { 'Content-Encoding': 'br' } }), 'ingest_encoding_unknown');
    assert.deepEqual((await stored(server, 'g')).map(({ value }) => value), [1, 2]);
    await server.stop();
  });

  it('what does not fit is refused with its line and field, and nothing of the request is taken', async () => {
    const server = await start('fields.db', { ingest_fields: ['channel text required', 'value number required', 'timestamp time', 'seq integer'], event_bytes_max: 1000 });
    const good = { channel: 'a', value: 1 };
    const refused = async (readings, reason, words) => {
      const answer = await ingestLines(server, readings);
      await expectHttpError(server, answer, reason);
      assert.match(answer.json.error, words);
    };
    await refused([good, good, '{"channel":"a"'], 'ingest_body_invalid', /line 3 is not JSON/);
    await refused([good, '', '[1]'], 'ingest_body_invalid', /line 3: a reading must be an object/);
    await refused([good, { channel: 'a' }], 'ingest_reading_invalid', /line 2: value is missing/);
    await refused([{ channel: 'a', value: null }], 'ingest_reading_invalid', /line 1: value is missing/);
    await refused([{ channel: 'a', value: '1' }], 'ingest_reading_invalid', /line 1: value must be a number/);
    await refused([{ channel: 1, value: 1 }], 'ingest_reading_invalid', /line 1: channel must be a text/);
    await refused([{ ...good, seq: 1.5 }], 'ingest_reading_invalid', /line 1: seq must be an integer/);
    await refused([{ ...good, timestamp: 'yesterday' }], 'ingest_reading_invalid', /line 1: timestamp must be a time/);
    await refused([good, { ...good, x: 'x'.repeat(1000) }], 'api_data_too_big', /line 2/);
    await refused(['', ' '], 'ingest_body_invalid', /empty/);
    const array = await ingest(server, [good, { channel: 'a' }]);
    assert.match(array.json.error, /reading 2: value is missing/);
    const lines_as_json = await ingest(server, lines([good, good]));
    await expectHttpError(server, lines_as_json, 'ingest_body_invalid');
    assert.match(lines_as_json.json.error, /application\/x-ndjson/);
    assert.deepEqual((await get(server, '/sensors')).sensors, []);
    await server.stop();
  });

  it('an idempotency key is known after a restart: same answer, one job', async () => {
    let server = await start('keys.db');
    const send_once = () => ingestLines(server, [{ channel: 'k', value: 1 }, { channel: 'k', value: 2 }], { 'Idempotency-Key': 'once' });
    const first = await send_once();
    assert.equal(first.status, 202);
    const both = await Promise.all([send_once(), send_once()]);
    for (const again of both) assert.deepEqual([again.status, again.json], [202, first.json]);
    await server.kill9();
    server = await start('keys.db');
    assert.deepEqual((await send_once()).json, first.json);
    await idle(server);
    assert.equal((await stored(server, 'k')).length, 2);
    await expectHttpError(server, await ingestLines(server, [{}], { 'Idempotency-Key': 'x'.repeat(129) }), 'api_idempotency_key_invalid');
    await server.stop();
  });

  it('kill -9 under load, many times: every acknowledged reading is stored once and published', async () => {
    const rounds = process.env.KILAT_LONG === '1' ? 100 : 10;
    const acknowledged = new Set();
    const published = new Set();
    let number = 0;
    const name = 'kill.db';
    for (let round = 0; round < rounds; round++) {
      const server = await start(name);
      const reader = await server.connect();
      await reader.subscribe('scada-data');
      let ended = false;
      const backends = [0, 1, 2].map(async (backend) => {
        while (!ended) {
          const readings = Array.from({ length: 1 + (number % 7) }, () => ({ channel: `s${backend}`, value: ++number }));
          const answer = await ingestLines(server, readings).catch(() => null);
          if (answer?.status === 202) for (const { value } of readings) acknowledged.add(value);
        }
      });
      await new Promise((resolve) => { setTimeout(resolve, 30 + Math.random() * 150); });
      server.child.kill('SIGKILL');
      await reader.waitClose();
      ended = true;
      await Promise.all(backends);
      await server.kill9();
      for (const { data } of reader.all('scada.data.received')) published.add(JSON.parse(data).data.value);
    }
    // What was left in the queue is published when somebody is there to see that it is empty.
    const server = await start(name);
    await idle(server);
    const values = [];
    for (const sensor of ['s0', 's1', 's2']) values.push(...(await stored(server, sensor)).map(({ value }) => value));
    assert.equal(new Set(values).size, values.length, 'nothing is stored twice');
    const there = new Set(values);
    assert.deepEqual([...acknowledged].filter((value) => !there.has(value)), [], 'nothing acknowledged is missing');
    assert.ok(acknowledged.size > rounds);
    assert.ok(published.size > 0);
    assert.deepEqual([...published].filter((value) => !there.has(value)), [], 'nothing is published that is not stored');
    await server.stop();
  });

  it('what is in the queue at a kill is published after the restart, on a durable channel exactly once', async () => {
    const app = { history: ['scada-data size=100000 age=1h bytes=64MiB durable'] };
    const options = { history: { file: file('published.history') } };
    const acknowledged = new Set();
    for (let round = 0; round < 5; round++) {
      const server = await start('published.db', app, options);
      let ended = false;
      const backend = (async () => {
        for (let i = 0; !ended; i++) {
          const readings = Array.from({ length: 20 }, (_, k) => ({ channel: 's', value: round * 1e6 + i * 100 + k }));
          const answer = await ingestLines(server, readings).catch(() => null);
          if (answer?.status === 202) for (const { value } of readings) acknowledged.add(value);
        }
      })();
      await new Promise((resolve) => { setTimeout(resolve, 50 + Math.random() * 100); });
      server.child.kill('SIGKILL');
      await server.exited;
      ended = true;
      await backend;
      await server.kill9();
    }
    const server = await start('published.db', app, options);
    await idle(server);
    const values = (await server.history('scada-data')).events.map(({ data }) => JSON.parse(data).data.value);
    assert.equal(new Set(values).size, values.length, 'nothing is published twice');
    assert.deepEqual([...acknowledged].filter((value) => !new Set(values).has(value)), []);
    await server.stop();
  });

  it('a full disk: 503, readiness says so, nothing acknowledged is lost, and it ends by itself', async () => {
    const server = await start('full.db');
    assert.equal((await ingestLines(server, [{ channel: 'd', value: 1 }])).status, 202);
    await idle(server);
    const limit = (bytes) => execFileSync('prlimit', ['--pid', server.child.pid, `--fsize=${bytes}:unlimited`]);
    limit(4_096);
    const refused = await ingestLines(server, [{ channel: 'd', value: 2, x: 'y'.repeat(50_000) }]);
    await expectHttpError(server, refused, 'ingest_unavailable');
    assert.ok(refused.headers['retry-after']);
    const causes = await eventually(async () => {
      const answer = await send(server, 'GET', '/health/ready');
      return answer.status === 503 && answer.json.causes.map(({ cause }) => cause);
    }, 'the server to be not ready');
    assert.deepEqual(causes, ['ingest_failing']);
    limit('unlimited');
    await eventually(async () => (await ingestLines(server, [{ channel: 'd', value: 3 }])).status === 202, 'room on the disk');
    await eventually(async () => (await send(server, 'GET', '/health/ready')).status === 200, 'the server to be ready');
    assert.deepEqual((await stored(server, 'd')).map(({ value }) => value), [1, 3]);
    await server.stop();
  });

  /**
   * Makes events of the durable channel fail, and nothing else: lets the file of histories grow beyond that of the queue,
   * and no further. Returns what ends that.
   */
  async function blockHistory(server, history, queue) {
    const size = (name) => statSync(`${name}-wal`).size;
    for (let i = 0; size(history) < size(queue) + 4_000_000; i++) {
      assert.ok(i < 200);
      await server.publish('scada-data', 'filler', 'x'.repeat(90_000));
    }
    const limit = (bytes) => execFileSync('prlimit', ['--pid', server.child.pid, `--fsize=${bytes}:unlimited`]);
    limit(size(history));
    return () => limit('unlimited');
  }

  it('a full queue answers 503 with Retry-After, and goes on when jobs are done', async () => {
    const app = { history: ['scada-data durable'], ingest_tries: 100, event_bytes_max: 400_000 };
    const [queue, history] = [file('queue.db'), file('queue.history')];
    const server = await start('queue.db', app, { history: { file: history }, ingest: { file: queue, queue_bytes_max: 1_048_576 } });
    assert.equal((await ingestLines(server, [{ channel: 'q', value: 0 }])).status, 202);
    await idle(server);
    const unblock = await blockHistory(server, history, queue);
    const post = (value) => ingestLines(server, [{ channel: 'q', value, x: 'y'.repeat(90_000) }]);
    let taken = 0;
    let answer;
    for (;;) {
      answer = await post(taken + 1);
      if (answer.status !== 202) break;
      ++taken;
    }
    assert.equal(taken, 11);
    await expectHttpError(server, answer, 'ingest_queue_full');
    assert.ok(answer.headers['retry-after']);
    assert.equal((await get(server, '/ingest')).jobs, taken);
    const large = await ingestLines(server, Array.from({ length: 4 }, () => ({ channel: 'q', x: 'y'.repeat(300_000) })));
    await expectHttpError(server, large, 'http_body_too_large');
    unblock();
    await idle(server);
    assert.equal((await post(taken + 1)).status, 202);
    await idle(server);
    assert.deepEqual((await stored(server, 'q')).map(({ value }) => value), Array.from({ length: taken + 2 }, (_, i) => i));
    await server.stop();
  });

  /**
   * A server with one failed job: its event does not fit into the file of a durable history, while the reading fits into
   * the queue, because quotes are escaped twice in the event. Returns the server, the job, and what ends the trouble.
   */
  async function withFailedJob(name) {
    const app = { ingest_keep: 0, history: ['scada-data bytes=64MiB durable'], ingest_tries: 2, event_bytes_max: 1_000_000 };
    const server = await start(`${name}.db`, app, { history: { file: file(`${name}.history`) } });
    const limit = (bytes) => execFileSync('prlimit', ['--pid', server.child.pid, `--fsize=${bytes}:unlimited`]);
    limit(600_000);
    const reading = JSON.stringify({ channel: 'f', value: 1, x: '"'.repeat(200_000) });
    const answer = await ingestLines(server, [reading]);
    assert.equal(answer.status, 202, answer.text);
    await eventually(async () => (await get(server, '/ingest/failed')).jobs.length === 1, 'a failed job');
    return { server, reading, job: answer.json.job, unblock: () => limit('unlimited') };
  }
  const targetOf = (server) => ['app-id', '--url', server.url, '--key', server.app.key, '--secret', server.app.secret];
  const kilat = async (...args) => (await promisify(execFile)(kBinary, args)).stdout;

  it('a job that cannot be published is tried again, then kept as failed until it is retried', async () => {
    const { server, reading, job, unblock } = await withFailedJob('retry');
    const client = await server.connect();
    await client.subscribe('scada-data');
    const failed = async () => (await get(server, '/ingest/failed')).jobs;
    const [shown] = await failed();
    assert.deepEqual([shown.job, shown.readings, shown.tries], [job, 1, 2]);
    assert.ok(shown.error.length > 0 && shown.failed >= shown.created && shown.bytes > reading.length);
    assert.equal((await get(server, '/ingest')).failed_jobs, 1);
    const page = await get(server, '/ingest/failed', { limit: '1' });
    assert.deepEqual((await get(server, '/ingest/failed', { after: page.next })).jobs, []);
    assert.ok((await kilat('jobs', 'list', ...targetOf(server))).includes(job));
    // In vain, as long as there is no room.
    assert.deepEqual((await server.request('POST', `/ingest/failed/${job}/retry`, { body: '{}' })).json, { retried: 1 });
    await eventually(async () => (await failed())[0]?.failed > shown.failed, 'the job to fail again');
    for (const [method, target] of [['POST', '/00000000-1/retry'], ['DELETE', '/00000000-1'], ['DELETE', '/x']]) {
      const body = method === 'POST' ? '{}' : undefined;
      await expectHttpError(server, await server.request(method, `/ingest/failed${target}`, { body }), 'ingest_job_unknown');
    }
    unblock();
    assert.match(await kilat('jobs', 'retry', ...targetOf(server), job), /retried: 1/);
    const frame = await client.waitFor('scada.data.received');
    assert.deepEqual(JSON.parse(frame.data).data, JSON.parse(reading));
    await idle(server);
    assert.deepEqual(await failed(), []);
    assert.equal(client.all('scada.data.received').length, 1);
    assert.match(await kilat('jobs', 'list', ...targetOf(server)), /no failed jobs/);
    assert.deepEqual((await server.request('POST', '/ingest/failed/retry', { body: '{}' })).json, { retried: 0 });
    await server.stop();
  });

  it('a failed job that is forgotten is gone, and frees the queue', async () => {
    const { server, job, unblock } = await withFailedJob('forget');
    unblock();
    await assert.rejects(kilat('jobs', 'forget', ...targetOf(server)), /--all/);
    assert.match(await kilat('jobs', 'forget', ...targetOf(server), job), /forgotten: 1/);
    assert.deepEqual((await server.request('DELETE', '/ingest/failed')).json, { forgotten: 0 });
    assert.match(await kilat('jobs', 'forget', ...targetOf(server), '--all'), /forgotten: 0/);
    const figures = await get(server, '/ingest');
    assert.deepEqual([figures.failed_jobs, figures.failed_bytes, figures.jobs], [0, 0, 0]);
    await server.stop();
  });

  it('downsampling gives the figures of a model', async () => {
    const server = await start('steps.db');
    let seed = 7;
    const random = (below) => { seed = (seed * 48_271) % 2_147_483_647; return seed % below; };
    const origin = Date.parse('2026-11-21T00:00:00Z');
    const model = new Map();
    const kStep = 60_000;
    const all = [];
    for (let i = 0; i < 3_000; i++) all.push({ channel: 'm', value: (random(20_001) - 10_000) / 100, timestamp: origin + random(3_600_000) });
    for (let i = 0; i < all.length; i += 500) assert.equal((await ingestLines(server, all.slice(i, i + 500))).status, 202);
    // First and last go by time, then by the order in which readings came.
    const sorted = all.map((one, index) => ({ ...one, index })).sort((a, b) => a.timestamp - b.timestamp || a.index - b.index);
    for (const { value, timestamp } of sorted) {
      const time = timestamp - (timestamp % kStep);
      const step = model.get(time) ?? { time, count: 0, cents: 0, min: value, max: value, first: value, last: value };
      step.count++;
      step.cents += Math.round(value * 100);
      step.min = Math.min(step.min, value);
      step.max = Math.max(step.max, value);
      step.last = value;
      model.set(time, step);
    }
    const wanted = [...model.values()].sort((a, b) => a.time - b.time).map(({ cents, ...step }) => ({ ...step, sum: cents / 100, average: cents / 100 / step.count }));
    const { steps, next } = await get(server, '/readings', { sensor: 'm', step: '1m' });
    assert.equal(next, null);
    const rounded = (list) => list.map(({ average, ...step }) => ({ ...step, average: average.toFixed(9) }));
    assert.deepEqual(rounded(steps), rounded(wanted.map(({ time, count, sum, min, max, average, first, last }) => ({ time, count, sum, min, max, average, first, last }))));
    const pages = [];
    for (let from = origin; ;) {
      const page = await get(server, '/readings', { sensor: 'm', step: String(kStep), limit: '7', from: String(from), to: '2026-11-21T00:30:00Z' });
      pages.push(...page.steps);
      if (page.next === null) break;
      from = page.next;
    }
    assert.deepEqual(pages, steps.filter(({ time }) => time < origin + 1_800_000));
    const newest = await get(server, '/readings', { sensor: 'm', order: 'newest', limit: '3' });
    assert.deepEqual(newest.readings.map(({ value }) => value), sorted.slice(-3).reverse().map(({ value }) => value));
    assert.equal((await stored(server, 'm')).length, 3_000);
    for (const query of [{}, { sensor: 'm', step: '0' }, { sensor: 'm', from: 'x' }, { sensor: 'm', limit: '0' }, { sensor: 'm', after: '1' }]) {
      await expectHttpError(server, await server.request('GET', '/readings', { query }), 'api_parameter_invalid');
    }
    await server.stop();
  });

  it('flow rules fold what comes in: the figures of each sensor equal a model', async () => {
    const server = await start('flow.db', { flow: ['scada-data aggregate=100ms key=/data/channel value=/data/value to=scada-batch as=scada.batch.processed'] });
    const client = await server.connect();
    await client.subscribe('scada-batch');
    const model = {};
    for (let i = 0; i < 40; i++) {
      const readings = Array.from({ length: 50 }, (_, k) => ({ channel: `s${k % 5}`, value: ((i * 50 + k) * 37 % 1000) / 10 }));
      for (const { channel, value } of readings) {
        const figures = (model[channel] ??= { count: 0, tenths: 0, min: Infinity, max: -Infinity });
        figures.count++;
        figures.tenths += Math.round(value * 10);
        figures.min = Math.min(figures.min, value);
        figures.max = Math.max(figures.max, value);
      }
      assert.equal((await ingestLines(server, readings)).status, 202);
    }
    const totals = () => {
      const out = {};
      for (const { data } of client.all('scada.batch.processed')) {
        for (const [sensor, { count, sum, min, max }] of Object.entries(JSON.parse(data).values)) {
          const figures = (out[sensor] ??= { count: 0, tenths: 0, min: Infinity, max: -Infinity });
          figures.count += count;
          figures.tenths += Math.round(sum * 10);
          figures.min = Math.min(figures.min, min);
          figures.max = Math.max(figures.max, max);
        }
      }
      return out;
    };
    await client.until(() => Object.values(totals()).reduce((sum, { count }) => sum + count, 0) === 2_000, 'all readings');
    const sorted = (figures) => Object.fromEntries(Object.entries(figures).sort());
    assert.deepEqual(sorted(totals()), sorted(model));
    await server.stop();
  });

  it('kilat publish --ndjson - hands a pipe over', async () => {
    const server = await start('pipe.db');
    const child = spawn(kBinary, ['publish', 'app-id', '--ndjson', '-', '--url', server.url, '--key', server.app.key, '--secret', server.app.secret]);
    let said = '';
    child.stdout.on('data', (bytes) => { said += bytes; });
    child.stdin.write('{"channel":"p","value":0}\n');
    await eventually(async () => (await stored(server, 'p')).length === 1, 'the first line before the pipe ends');
    const count = 5_000;
    child.stdin.end(lines(Array.from({ length: count }, (_, i) => ({ channel: 'p', value: i + 1, timestamp: 1_795_289_634_000 + i, x: 'y'.repeat(100) }))));
    assert.equal(await new Promise((resolve) => { child.once('close', resolve); }), 0);
    assert.match(said, /5001 readings taken/);
    const values = (await stored(server, 'p')).map(({ value }) => value);
    assert.equal(values.length, count + 1);
    assert.equal(new Set(values).size, count + 1);
    const wrong = spawn(kBinary, ['publish', 'app-id', '--ndjson', '-', '--url', server.url, '--key', server.app.key, '--secret', server.app.secret]);
    wrong.stdin.end('{"channel":"p"}\nno JSON\n');
    let complaint = '';
    wrong.stderr.on('data', (bytes) => { complaint += bytes; });
    assert.equal(await new Promise((resolve) => { wrong.once('close', resolve); }), 1);
    assert.match(complaint, /line 2 is not JSON/);
    await server.stop();
  });

  it('readings go when their time is over, and a reload changes what is kept', async () => {
    const server = await start('keep.db', { ingest_keep: 3_600 });
    const now = Date.now();
    const old = Array.from({ length: 5_000 }, (_, i) => ({ channel: 'old', value: i, timestamp: now - 7_200_000 + i }));
    assert.equal((await ingestLines(server, old)).status, 202);
    assert.equal((await ingestLines(server, [{ channel: 'new', value: 1, timestamp: now }])).status, 202);
    await eventually(async () => (await get(server, '/sensors')).sensors.map(({ sensor }) => sensor).join() === 'new', 'the old ones to go');
    writeFileSync(path.join(server.directory, 'kilat.toml'), configText({ apps: [{ ingest_channel: 'scada-data', ingest_keep: 0 }], ingest: { file: file('keep.db') } }));
    server.child.kill('SIGHUP');
    await eventually(async () => {
      await ingestLines(server, [{ channel: 'late', value: 1 }]);
      const before = (await stored(server, 'late')).length;
      await ingestLines(server, [{ channel: 'late', value: 1 }]);
      await idle(server);
      return (await stored(server, 'late')).length === before;
    }, 'readings that are not stored any more');
    assert.equal((await stored(server, 'new')).length, 1);
    await server.stop();
  });

  it('an app without ingest answers so; other methods and paths are refused; a file that cannot be used ends the start', async () => {
    const server = await start('off.db', { ingest_channel: '', ingest_keep: 0 });
    await expectHttpError(server, await ingest(server, '{}'), 'ingest_off');
    await expectHttpError(server, await server.request('DELETE', '/ingest'), 'http_method_not_allowed');
    await expectHttpError(server, await server.request('GET', '/ingest/failed/x/y'), 'http_not_found');
    await expectHttpError(server, await server.request('POST', '/readings', { body: '{}' }), 'http_method_not_allowed');
    await assert.rejects(start('off.db'), /off\.db/);
    await server.stop();
    const without = await startServer();
    await expectHttpError(without, await ingest(without, '{}'), 'ingest_off');
    await without.stop();
    writeFileSync(file('damaged.db'), 'this is no database'.repeat(1000));
    await assert.rejects(start('damaged.db'), /damaged\.db/);
    await assert.rejects(startServer({ apps: [kScada] }), /ingest\.file/);
  });

  it('metrics count jobs and readings', async () => {
    const server = await start('metrics.db', {}, { metrics: { listen: '127.0.0.1:0' } });
    assert.equal((await ingestLines(server, [{ channel: 'm', value: 1 }, { channel: 'm', value: 2 }])).status, 202);
    await idle(server);
    const { text } = await send({ host: '127.0.0.1', port: server.metrics_port }, 'GET', '/metrics');
    for (const line of ['kilat_ingest_queue_jobs 0', 'kilat_ingest_accepted_readings_total 2', 'kilat_ingest_stored_readings_total 2', 'kilat_ingest_jobs_total{result="done"} 1', 'kilat_ingest_failed_jobs 0']) {
      assert.ok(text.split('\n').includes(line), `${line} in\n${text.split('\n').filter((one) => one.startsWith('kilat_ingest')).join('\n')}`);
    }
    await server.stop();
  });
});
