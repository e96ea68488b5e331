// Bodies of durable ingest that are read as they come: what the answer counts is on disk, once, whatever ends the body.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';

import { expectHttpError } from './asserts.mjs';
import { eventually, startServer } from './harness.mjs';
import { request } from './http_client.mjs';

const kLong = process.env.KILAT_LONG === '1';
const kTypes = { 'Content-Type': 'application/x-ndjson' };
const kKey = { Authorization: 'Bearer bearer-key', ...kTypes };
// Their readings are of a day that goes by: they are kept for a hundred years.
const kApp = { api_key: 'bearer-key', ingest_keep: 36_500 * 86_400 };
const kSensors = 10;

describe('ingest, streamed', () => {
  let folder;
  const servers = [];
  before(() => { folder = mkdtempSync(path.join(tmpdir(), 'kilat-stream-')); });
  // A test that fails leaves its server behind, and the runner would wait for it.
  after(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  const file = (name) => path.join(folder, name);
  const start = async (name, app = {}, options = {}) => {
    const server = await startServer({
      apps: [{ ...kApp, ...app }],
      ...options,
      http: { body_bytes_max: 65_536, ...options.http },
      ingest: { file: file(name), ...options.ingest },
    });
    servers.push(server);
    return server;
  };

  /** POST with a body of unknown length, out of an iterable of strings or buffers. */
  function stream(server, parts, { headers = kKey, agent, end = true } = {}) {
    return new Promise((resolve, reject) => {
      const target = { host: server.host, port: server.port, method: 'POST', path: '/apps/app-id/ingest', headers, agent };
      const sending = http.request(target, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode, headers: response.headers, text, json: JSON.parse(text), request: sending });
        });
      });
      sending.on('error', reject);
      // One promise for each time that there is room again, or nobody left to write to.
      let go = () => {};
      let flow;
      const next = () => { go(); flow = new Promise((resolve_flow) => { go = resolve_flow; }); };
      sending.on('drain', next).on('close', () => go());
      next();
      (async () => {
        for await (const part of parts) {
          if (sending.destroyed) return;
          if (!sending.write(part)) await flow;
        }
        if (end) sending.end();
      })().catch(reject);
    });
  }

  const line = (i) => `{"channel":"s${i % kSensors}","value":${i}.5,"timestamp":${1_795_289_633_000 + i}}\n`;
  function* lines(count, from = 0, batch = 1_000) {
    for (let i = from; i < count; i += batch) {
      let part = '';
      for (let k = i; k < Math.min(i + batch, count); ++k) part += line(k);
      yield part;
    }
  }
  const text = (count) => [...lines(count)].join('');

  async function get(server, what, query = {}) {
    const answer = await server.request('GET', what, { query });
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  }
  /** How many readings each sensor has, and the sum of their values. */
  async function counts(server) {
    await eventually(async () => (await get(server, '/ingest')).jobs === 0, 'an empty queue', 600_000);
    const out = { count: 0, sum: 0 };
    for (const { sensor } of (await get(server, '/sensors')).sensors) {
      const { steps } = await get(server, '/readings', { sensor, step: '366d' });
      for (const step of steps) {
        out.count += step.count;
        out.sum += step.sum;
      }
    }
    return out;
  }
  const model = (count) => ({ count, sum: (count * (count - 1)) / 2 + count / 2 });

  it('a long body is taken in pieces, chunked or with a length, packed or not; sent again with its key nothing is stored twice', async () => {
    const server = await start('pieces.db');
    const count = 20_000;
    const body = text(count);
    const headers = { ...kKey, 'Idempotency-Key': 'whole' };
    const first = await stream(server, lines(count), { headers });
    assert.equal(first.status, 202, first.text);
    assert.deepEqual([first.json.accepted, first.json.lines], [count, count]);
    assert.ok(first.json.jobs > 3);
    assert.deepEqual(await counts(server), model(count));
    // However it comes: the pieces are the same.
    for (const again of [
      await stream(server, [body], { headers: { ...headers, 'Content-Length': Buffer.byteLength(body) } }),
      await stream(server, [gzipSync(body)], { headers: { ...headers, 'Content-Encoding': 'gzip' } }),
      await stream(server, lines(count, 0, 7), { headers }),
    ]) {
      assert.deepEqual([again.status, again.json], [202, first.json]);
    }
    assert.deepEqual(await counts(server), model(count));
    await server.stop();
  });

  it('a connection is used again after a streamed body, and 100 Continue is said', async () => {
    const server = await start('again.db');
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const first = await stream(server, lines(5_000), { agent });
    const port = first.request.socket.localPort;
    const second = await stream(server, lines(9_000, 5_000), { agent });
    assert.deepEqual([first.status, second.status, second.json.accepted], [202, 202, 4_000]);
    assert.ok(second.request.reusedSocket && second.request.socket?.localPort === port);
    agent.destroy();
    const body = text(3_000);
    const socket = net.connect(server.port, server.host);
    let seen = '';
    socket.on('data', (bytes) => { seen += bytes; });
    socket.write(`POST /apps/app-id/ingest HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer bearer-key\r\nContent-Type: application/x-ndjson\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`);
    await eventually(() => seen.includes('HTTP/1.1 100 Continue'), '100 Continue');
    assert.ok(!seen.includes('202'));
    socket.write(body);
    await eventually(() => seen.includes('"accepted":3000'), 'the answer');
    socket.destroy();
    await server.stop();
  });

  it('a refused line: what came before its piece is counted and stored, and the mended body goes on there', async () => {
    const server = await start('refused.db', { ingest_fields: ['value number required'] });
    const headers = { ...kKey, 'Idempotency-Key': 'mended' };
    const bad = [...lines(15_000), '{"channel":"s0","value":"x"}\n', ...lines(20_000, 15_000)];
    const answer = await stream(server, bad, { headers });
    await expectHttpError(server, answer, 'ingest_reading_invalid');
    assert.match(answer.json.error, /line 15001: value must be a number/);
    assert.ok(answer.json.lines > 3_000 && answer.json.lines <= 15_000, answer.text);
    assert.equal(answer.json.accepted, answer.json.lines);
    assert.deepEqual(await counts(server), model(answer.json.lines));
    const mended = await stream(server, lines(20_000), { headers });
    assert.deepEqual([mended.status, mended.json.accepted], [202, 20_000]);
    assert.deepEqual(await counts(server), model(20_000));
    await server.stop();
  });

  it('what can be told from the header, broken packing, broken chunks and long lines are refused with a reason', async () => {
    const server = await start('broken.db', { event_bytes_max: 10_000 });
    const refused = async (reason, parts, headers, words) => {
      const answer = await stream(server, parts, { headers });
      await expectHttpError(server, answer, reason);
      if (words) assert.match(answer.json.error, words);
      return answer.json;
    };
    const packed = gzipSync(text(2_000));  // less than a piece
    const gzip = { ...kKey, 'Content-Encoding': 'gzip' };
    await refused('ingest_body_invalid', [packed.subarray(0, -10)], gzip, /not whole gzip/);
    await refused('ingest_body_invalid', ['no gzip, whatever it says'], gzip, /not gzip/);
    await refused('ingest_body_invalid', ['\n', ' \n'], kKey, /it is empty/);
    await refused('ingest_encoding_unknown', ['{}'], { ...kKey, 'Content-Encoding': 'br' });
    await refused('api_idempotency_key_invalid', ['{}'], { ...kKey, 'Idempotency-Key': 'x'.repeat(129) });
    await refused('api_key_invalid', ['{}'], { ...kKey, Authorization: 'Bearer other' });
    const long = await refused('api_data_too_big', [text(3), ' '.repeat(1_000_000)], kKey, /line 4/);
    assert.deepEqual([long.accepted, long.lines, long.jobs, long.job], [0, 0, 0, null]);
    // The signature covers the whole body, so it is gathered.
    const signed = await request(server, 'POST', '/ingest', { body: text(2_000), headers: kTypes });
    await expectHttpError(server, signed, 'http_body_too_large');
    assert.match(signed.json.error, /Authorization: Bearer/);
    const socket = net.connect(server.port, server.host);
    let seen = '';
    socket.on('data', (bytes) => { seen += bytes; });
    socket.write('POST /apps/app-id/ingest HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer bearer-key\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nnothing\r\n');
    await eventually(() => seen.includes('http_malformed') && seen.includes('"accepted":0'), 'a refusal');
    socket.destroy();
    assert.deepEqual(await counts(server), { count: 0, sum: 0 });
    await server.stop();
  });

  it('a body that stops, and one that is torn off: whole pieces stay, and with its key it can be sent again', async () => {
    const server = await start('slow.db', {}, { http: { request_timeout_ms: 1_000 } });
    const headers = { ...kKey, 'Idempotency-Key': 'slow' };
    const slow = await stream(server, lines(9_000), { headers, end: false });
    await expectHttpError(server, slow, 'http_timeout');
    assert.ok(slow.json.lines > 3_000 && slow.json.accepted === slow.json.lines, slow.text);
    const half = net.connect({ port: server.port, host: server.host, allowHalfOpen: true });
    let seen = '';
    half.on('data', (bytes) => { seen += bytes; });
    half.end(`POST /apps/app-id/ingest HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer bearer-key\r\nContent-Type: application/x-ndjson\r\nContent-Length: 10000000\r\nIdempotency-Key: slow\r\n\r\n${text(12_000)}`);
    await eventually(() => seen.includes('"reason":"http_malformed"') && seen.includes('the body has no end'), 'a refusal');
    half.destroy();
    const torn = net.connect(server.port, server.host);
    torn.on('error', () => {});
    torn.write(`POST /apps/app-id/ingest HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer bearer-key\r\nContent-Type: application/x-ndjson\r\nContent-Length: 10000000\r\nIdempotency-Key: slow\r\n\r\n${text(15_000)}`);
    await eventually(async () => (await counts(server)).count > 10_000, 'whole pieces');
    torn.resetAndDestroy();
    const whole = await stream(server, lines(20_000), { headers });
    assert.deepEqual([whole.status, whole.json.accepted], [202, 20_000]);
    assert.deepEqual(await counts(server), model(20_000));
    await server.stop();
  });

  it('a full queue holds the body back, and in the end is told with what was taken', async () => {
    const [queue, history] = [file('full.db'), file('full.history')];
    const app = { ingest_channel: 'scada', history: ['scada durable'], ingest_tries: 100, event_bytes_max: 400_000 };
    const server = await start('full.db', app, {
      http: { body_bytes_max: 1_048_576, request_timeout_ms: 1_000 },
      history: { file: history },
      ingest: { queue_bytes_max: 1_048_576 },
    });
    const count = 40_000;
    const headers = { ...kKey, 'Idempotency-Key': 'full' };
    assert.equal((await stream(server, lines(1), { headers: kKey })).status, 202);
    // The file of histories may grow no further, and that of the queue may: so nothing is published.
    const size = (name) => statSync(`${name}-wal`).size;
    for (let i = 0; size(history) < size(queue) + 4_000_000; ++i) {
      assert.ok(i < 200);
      await server.publish('scada', 'filler', 'x'.repeat(90_000));
    }
    const limit = (bytes) => execFileSync('prlimit', ['--pid', server.child.pid, `--fsize=${bytes}:unlimited`]);
    limit(size(history));
    const answer = await stream(server, lines(count), { headers });
    // Where SQLite begins its log anew, some is published after all, and the queue's own file meets the limit first.
    assert.equal(answer.status, 503, answer.text);
    const full = answer.json.reason === 'ingest_queue_full';
    await expectHttpError(server, answer, full ? 'ingest_queue_full' : 'ingest_unavailable');
    assert.ok(answer.json.lines < count && answer.json.accepted === answer.json.lines, answer.text);
    if (full) assert.ok(answer.headers['retry-after']);
    // Half of the queue is left to requests that cannot wait.
    const single = full ? await request(server, 'POST', '/ingest', { body: '{"channel":"s0","value":0.5}' }) : null;
    if (single) assert.equal(single.status, 202);
    limit('unlimited');
    // Sent again until it is whole, each reading is there once.
    await eventually(async () => (await stream(server, lines(count), { headers })).status === 202, 'the whole body to be taken', 600_000);
    const { count: readings, sum } = model(count);
    const more = single ? 2 : 1;
    assert.deepEqual(await counts(server), { count: readings + more, sum: sum + more * 0.5 });
    await server.stop();
  });

  it(`${kLong ? 'ten million' : 'two hundred thousand'} readings: exact counts, and memory that does not grow with the body`, async () => {
    const total = kLong ? 10_000_000 : 200_000;
    const bodies = 2;
    const server = await start('many.db');
    const memory = (what) => Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]) / 1_024;
    const before_mb = memory('VmRSS');
    const began = Date.now();
    const halves = Array.from({ length: bodies }, (_, i) => stream(server, lines((total / bodies) * (i + 1), (total / bodies) * i)));
    for (const answer of await Promise.all(halves)) {
      assert.equal(answer.status, 202, answer.text);
      assert.equal(answer.json.accepted, total / bodies);
    }
    const took_s = (Date.now() - began) / 1_000;
    const peak_mb = memory('VmHWM');
    assert.deepEqual(await counts(server), model(total));
    const size_mb = (statSync(file('many.db')).size + statSync(file('many.db-wal')).size) / 1_048_576;
    console.log(`${total} readings in ${took_s.toFixed(1)} s, ${Math.round(total / took_s)} a second; RSS ${before_mb.toFixed(0)} MB, at most ${peak_mb.toFixed(0)} MB; file ${size_mb.toFixed(0)} MB`);
    // A sanitizer maps terabytes, and keeps what was freed.
    const sanitized = memory('VmSize') > 1_000_000;
    assert.ok(peak_mb < before_mb + (sanitized ? 1_500 : 300), `${peak_mb} MB at most, ${before_mb} MB before`);
    await server.stop();
  });
});
