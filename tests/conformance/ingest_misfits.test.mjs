// Durable ingest: input that does not fit, from pipes and by HTTP, and jobs of apps that are gone.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

import { expectHttpError } from './asserts.mjs';
import { configText, eventually, kBinary, startServer } from './harness.mjs';
import { request, send } from './http_client.mjs';

const kNdjson = { 'Content-Type': 'application/x-ndjson' };
const kScada = { ingest_channel: 'scada-data', ingest_event: 'scada.data.received', ingest_keep: 86_400 };

describe('ingest_misfits', () => {
  let folder;
  before(() => { folder = mkdtempSync(path.join(tmpdir(), 'kilat-misfits-')); });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name) => path.join(folder, name);
  const start = (name, app = {}) => startServer({ apps: [{ ...kScada, ...app }], ingest: { file: file(name) } });
  const lines = (readings) => readings.map((one) => JSON.stringify(one)).join('\n');
  const ingest = (server, body, options = {}) => request(server, 'POST', '/ingest', { body, ...options });
  const get = async (server, what, query = {}) => {
    const answer = await server.request('GET', what, { query });
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  };
  const idle = (server) => eventually(async () => (await get(server, '/ingest')).jobs === 0, 'an empty queue');
  const kilat = async (...args) => (await promisify(execFile)(kBinary, args)).stdout;

  /** The values of all stored readings of a sensor, page by page. */
  async function storedValues(server, sensor) {
    const all = [];
    for (let after; ;) {
      const page = await get(server, '/readings', { sensor, limit: '1000', ...(after ? { after } : {}) });
      all.push(...page.readings.map(({ value }) => value));
      if (page.next === null) return all;
      after = page.next;
    }
  }

  /** Runs `kilat publish --ndjson -` with this input; {code, said, complaint}. */
  async function pipe(server, input, ...more) {
    const child = spawn(kBinary, ['publish', 'app-id', '--ndjson', '-', ...more, '--url', server.url, '--key', server.app.key, '--secret', server.app.secret]);
    let said = '';
    let complaint = '';
    child.stdout.on('data', (bytes) => { said += bytes; });
    child.stderr.on('data', (bytes) => { complaint += bytes; });
    child.stdin.on('error', () => {});  // it may end before it has read all
    child.stdin.end(input);
    const code = await new Promise((resolve) => { child.once('close', resolve); });
    return { code, said, complaint };
  }

  it('kilat publish --ndjson takes lines longer than a request, and names a bad line by its number in the input', async () => {
    const server = await start('long.db', { event_bytes_max: 1024 * 1024 });
    const long = (length, value) => JSON.stringify({ channel: 'p', value, x: 'y'.repeat(length) });
    const whole = [long(300_000, 1), long(10, 2), long(600_000, 3), long(262_100, 4), ''].join('\n');
    assert.deepEqual(await pipe(server, whole), { code: 0, said: '4 readings taken in 4 requests\n', complaint: '' });
    assert.deepEqual((await storedValues(server, 'p')).sort(), [1, 2, 3, 4]);
    const far = [...Array.from({ length: 3 }, (_, i) => long(200_000, 10 + i)), '', long(10, 20), '{oops', long(10, 21)].join('\n');
    const ended = await pipe(server, far);
    assert.equal(ended.code, 1);
    assert.match(ended.complaint, /line 6 is not JSON/);
    assert.match(ended.complaint, /[123] readings were taken before/);
    await server.stop();
  });

  it('kilat publish --ndjson --skip-invalid leaves bad lines out and takes all others', async () => {
    const server = await start('skip.db', { ingest_fields: ['value number'] });
    const good = Array.from({ length: 6_000 }, (_, i) => JSON.stringify({ channel: 'p', value: i, x: 'y'.repeat(100) }));
    const input = [...good];
    const bad = ['{oops', '[1]', '{"channel":"p","value":"no number"}', '{"channel":"p","timestamp":"9999-12-31T00:00:00Z"}'];
    const at = [6_000, 5_999, 3_000, 3_000, 17, 0];
    for (const [i, place] of at.entries()) input.splice(place, 0, bad[i % bad.length]);
    const { code, said, complaint } = await pipe(server, input.join('\n'), '--skip-invalid');
    assert.equal(code, 0, complaint);
    assert.match(said, /6000 readings taken/);
    assert.match(said, /6 lines skipped/);
    const named = [...complaint.matchAll(/line (\d+)/g)].map(([, number]) => Number(number));
    assert.deepEqual(named, input.flatMap((line, i) => (bad.includes(line) ? [i + 1] : [])));
    assert.equal(new Set(await storedValues(server, 'p')).size, 6_000);
    await server.stop();
  });

  it('a reading from further ahead than a day is refused', async () => {
    const server = await start('ahead.db');
    const now = Date.now();
    const hour = 3_600_000;
    assert.equal((await ingest(server, JSON.stringify({ channel: 't', value: 1, timestamp: now + 23 * hour }))).status, 202);
    for (const timestamp of [now + 25 * hour, '9999-12-31T00:00:00Z', (now + 25 * hour) / 1000]) {
      const answer = await ingest(server, lines([{ channel: 't', value: 2 }, { channel: 't', value: 3, timestamp }]), { headers: kNdjson });
      await expectHttpError(server, answer, 'ingest_reading_invalid');
      assert.match(answer.json.error, /line 2: timestamp is more than a day ahead/);
    }
    await idle(server);
    assert.deepEqual(await storedValues(server, 't'), [1]);
    await server.stop();
  });

  it('jobs of an app that is gone or disabled wait until it is there again, and can be forgotten in the file', async () => {
    // Its first job can't be published: its event does not fit into the file of the history. So those behind it wait.
    const kGone = { id: 'gone', key: 'gone-key', secret: 'gone-secret', api_key: 'gone-bearer', ...kScada, ingest_keep: 0,
      history: ['scada-data bytes=64MiB size=1000 durable'], ingest_tries: 100, event_bytes_max: 1_000_000 };
    const options = { ingest: { file: file('gone.db') }, history: { file: file('gone.history') }, metrics: { listen: '127.0.0.1:0' } };
    const at = (server, method, what, body) =>
      send(server, method, `/apps/gone${what}`, { body, headers: { ...kNdjson, Authorization: 'Bearer gone-bearer' } });
    const inFile = (...args) => kilat('jobs', ...args, '--file', file('gone.db'));
    const metrics = async (server) => (await fetch(`http://127.0.0.1:${server.metrics_port}/metrics`)).text();
    const named = (server) => server.logs.find(({ event }) => event === 'ingest_app_not_served');
    const small = (job) => Array.from({ length: 100 }, (_, i) => ({ channel: 'g', value: 1 + 100 * job + i }));
    const handIn = async (server) => {
      execFileSync('prlimit', ['--pid', server.child.pid, '--fsize=600000:unlimited']);
      for (const readings of [[{ channel: 'g', value: 0, x: '"'.repeat(150_000) }], small(0), small(1)]) {
        const answer = await at(server, 'POST', '/ingest', lines(readings));
        assert.equal(answer.status, 202, answer.text);
      }
    };
    let server = await startServer({ apps: [kScada, kGone], ...options });
    await handIn(server);
    await server.kill9();

    server = await startServer({ apps: [kScada], ...options });
    await eventually(() => named(server), 'a word about the jobs');
    const { app, jobs, failed_jobs } = named(server);
    assert.deepEqual([app, Number(jobs), Number(failed_jobs)], ['gone', 3, 0]);
    assert.equal((await ingest(server, '{"channel":"h","value":1}')).status, 202);
    await idle(server);
    const page = await metrics(server);
    for (const line of ['kilat_ingest_unserved_jobs 3', 'kilat_ingest_failed_jobs 0', 'kilat_ingest_queue_jobs 3']) {
      assert.ok(page.includes(`${line}\n`), line);
    }
    await assert.rejects(inFile('list'), /stop the server/);
    await server.stop();
    assert.match(await inFile('list'), /gone +3 waiting +0 failed/);

    // By a reload it is there again: its jobs are published, in their order.
    server = await startServer({ apps: [kScada], ...options });
    const reload = (apps) => {
      writeFileSync(path.join(server.directory, 'kilat.toml'), configText({ apps, ...options }));
      server.child.kill('SIGHUP');
    };
    reload([kScada, kGone]);
    const kept = async () => {
      const values = [];
      for (let after = 0, more = true; more;) {
        const answer = await at(server, 'GET', `/channels/scada-data/history?limit=1000&after=${after}`);
        if (answer.status !== 200) return [];  // the app is not there yet
        ({ more } = answer.json);
        for (const { data, offset } of answer.json.events) {
          values.push(JSON.parse(data).data.value);
          after = offset;
        }
      }
      return values;
    };
    const all = Array.from({ length: 201 }, (_, i) => i);
    await eventually(async () => (await kept()).length >= 201, 'all readings');
    assert.deepEqual(await kept(), all);
    await eventually(async () => (await at(server, 'GET', '/ingest')).json.jobs === 0, 'an empty queue');

    // Disabled with jobs under way: they go back, and on when it is enabled. Nothing is published twice here.
    await handIn(server);
    reload([kScada, { ...kGone, enabled: false }]);
    await eventually(() => named(server), 'a word about the jobs after the reload');
    execFileSync('prlimit', ['--pid', server.child.pid, '--fsize=unlimited:unlimited']);
    reload([kScada, kGone]);
    await eventually(async () => (await kept()).length >= 402, 'all readings again');
    assert.deepEqual(await kept(), [...all, ...all]);
    await eventually(async () => (await at(server, 'GET', '/ingest')).json.jobs === 0, 'an empty queue again');
    await server.stop();
    server = await startServer({ apps: [kScada, kGone], ...options });
    await handIn(server);
    await server.stop();
    await assert.rejects(inFile('forget', 'gone'), /--all/);
    assert.match(await inFile('forget', 'gone', '--all'), /forgotten: 3/);
    assert.match(await inFile('list'), /no jobs/);
  });
});
