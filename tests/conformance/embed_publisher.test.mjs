// kilat::Publisher against a real server, and against one that refuses, breaks off or is not there.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { kEmbedBinary } from './embed_target.mjs';
import { eventually, kWaitMs, startServer } from './harness.mjs';

const kPublish = path.join(path.dirname(kEmbedBinary), 'embed_publish');

/** `key`: hands readings in, with this idempotency key; or 'batch:N', N events. */
async function publish(url, { retries = 3, retry_lost = false, key } = {}) {
  const args = [url, String(retries), String(retry_lost), ...(key === undefined ? [] : [key])];
  const { stdout } = await promisify(execFile)(kPublish, args, { timeout: kWaitMs });
  return JSON.parse(stdout);
}

/** Publishes to a server that answers the requests one after the other as `answers` says: a status, or 'break'. */
async function publishTo(answers, options) {
  const seen = [];
  const keys = [];
  const sockets = new Set();
  const server = http.createServer((request, response) => {
    const answer = answers[seen.length] ?? 200;
    seen.push(request.url.split('?')[0]);
    keys.push(request.headers['idempotency-key']);
    sockets.add(request.socket);
    request.resume().on('end', () => {
      if (answer === 'break') return request.socket.destroy();
      response.writeHead(answer, { 'Content-Type': 'application/json' });
      response.end(answer === 200 ? '{}' : '{"error":"not now"}');
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const result = await publish(`http://127.0.0.1:${server.address().port}`, options);
  server.closeAllConnections();
  await new Promise((resolve) => { server.close(resolve); });
  return { ...result, seen, keys, connections: sockets.size };
}

test('Trigger_ToKilat_ArrivesOnEachChannel', async () => {
  const server = await startServer();
  const client = await server.connect();
  await client.subscribe('one');
  await client.subscribe('two');
  assert.deepEqual(await publish(`${server.url}/`), { sent: true });
  for (const channel of ['one', 'two']) {
    const frame = await client.waitFor((message) => message.event === 'paid' && message.channel === channel);
    assert.deepEqual(JSON.parse(frame.data), { id: 17 });
  }
  assert.equal((await client.waitFor('batched')).data, 'text');
  await server.stop();
});

test('Trigger_429And503_AreTriedAgainOverOneConnection', async () => {
  const result = await publishTo([429, 503, 200]);
  assert.equal(result.sent, true);
  assert.deepEqual(result.seen, [...Array(3).fill('/apps/app-id/events'), '/apps/app-id/batch_events']);
  assert.equal(result.connections, 1);
  // One key for all attempts of a call, another for the next call.
  assert.match(result.keys[0], /^[0-9a-f]{32}$/);
  assert.deepEqual(result.keys.slice(1, 3), [result.keys[0], result.keys[0]]);
  assert.notEqual(result.keys[3], result.keys[0]);
});

test('Batch_LongerThanOneRequestTakes_GoesOutInOrder', async () => {
  const server = await startServer({ apps: [{ batch_max: 10 }] });
  const client = await server.connect();
  await client.subscribe('one');
  assert.deepEqual(await publish(server.url, { key: 'batch:25' }), { sent: true });
  await eventually(() => client.all('batched').length === 25, 'all events');
  assert.deepEqual(client.all('batched').map((frame) => Number(frame.data)), Array.from({ length: 25 }, (_, i) => i));
  await server.stop();
  const result = await publishTo([200, 503, 200, 400], { key: 'batch:25' });
  assert.deepEqual([result.sent, result.status, result.published], [false, 400, 20]);
  assert.equal(result.keys[1], result.keys[2]);
  assert.equal(new Set(result.keys).size, 3);
});

test('Trigger_AnswerIsLost_KilatPublishesOnce', async () => {
  const server = await startServer();
  const client = await server.connect();
  await client.subscribe('one');
  // Hands every request on to the server, and breaks the connection instead of the first answer.
  let broken = false;
  const front = http.createServer((request, response) => {
    const onward = http.request(
      { host: server.host, port: server.port, path: request.url, method: request.method, headers: request.headers },
      (answer) => {
        answer.resume().on('end', () => {
          if (!broken) {
            broken = true;
            return request.socket.destroy();
          }
          response.writeHead(answer.statusCode).end('{}');
        });
      },
    );
    request.pipe(onward);
  });
  await new Promise((resolve) => { front.listen(0, '127.0.0.1', resolve); });
  assert.deepEqual(await publish(`http://127.0.0.1:${front.address().port}`, { retry_lost: true }), { sent: true });
  await client.waitFor('batched');
  assert.equal(client.all('paid').length, 1);
  front.closeAllConnections();
  front.close();
  await server.stop();
});

test('Trigger_RetriesAreUsedUp_FailureHasTheWordsOfTheServer', async () => {
  const result = await publishTo([503, 503, 503], { retries: 2 });
  assert.equal(result.sent, false);
  assert.equal(result.status, 503);
  assert.equal(result.message, 'not now');
  assert.equal(result.seen.length, 3);
});

for (const answer of [500, 'break']) {
  test(`Trigger_AnswerMayBeLost_IsTriedAgainOnlyWhenAllowed (${answer})`, async () => {
    const careful = await publishTo([answer]);
    assert.equal(careful.sent, false);
    assert.equal(careful.seen.length, 1);
    const bold = await publishTo([answer], { retry_lost: true });
    assert.equal(bold.sent, true);
  });
}

test('Trigger_RefusedForGood_IsNotTriedAgain', async () => {
  const result = await publishTo([401]);
  assert.equal(result.status, 401);
  assert.equal(result.seen.length, 1);
});

test('Trigger_NobodyListens_FailureSaysSo', async () => {
  const result = await publish('http://127.0.0.1:1', { retries: 1 });
  assert.equal(result.sent, false);
  assert.equal(result.status, 0);
  assert.ok(result.message.length > 0);
});

test('Ingest_WhenAnswersAreLost_IsTriedAgainWithTheSameKey', async () => {
  const { seen, keys, status } = await publishTo(['break', 500, 503, 422], { key: '-' });
  assert.deepEqual(seen, Array(4).fill('/apps/app-id/ingest'));
  assert.equal(status, 422);
  assert.equal(new Set(keys).size, 1);
  assert.match(keys[0], /^[0-9a-f]{32}$/);
});

test('OtherCalls_WithQueryAndBody_AreSignedAndAnswered', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'kilat-publisher-'));
  const server = await startServer({ apps: [{ ingest_channel: 'one', ingest_keep: 3_600 }], ingest: { file: path.join(folder, 'ingest.db') } });
  const first = await publish(server.url, { key: 'calls' });
  assert.deepEqual([first.accepted, first.retried, first.forgotten], [1, { retried: 0 }, { forgotten: 0 }]);
  assert.match(first.unknown, /job/);
  // The first request may have asked before the reading was stored.
  await eventually(async () => {
    const { readings } = (await publish(server.url, { key: 'calls' })).readings;
    return readings.length === 1 && readings[0].value === 20.5;
  }, 'the reading');
  const { text } = await server.request('GET', '/readings', { query: { sensor: 'a b&c' } });
  assert.match(text, /"value":20\.50/, 'the digits that came');
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('Ingest_ToKilat_IsTakenOnceForOneKey', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'kilat-publisher-'));
  const server = await startServer({ apps: [{ ingest_channel: 'one', ingest_keep: 3_600 }], ingest: { file: path.join(folder, 'ingest.db') } });
  const first = await publish(server.url, { key: 'mine' });
  assert.deepEqual([first.sent, first.accepted], [true, 2]);
  assert.deepEqual(await publish(server.url, { key: 'mine' }), first);
  const { json } = await server.request('GET', '/readings', { query: { sensor: 'a' } });
  assert.deepEqual(json.readings.map(({ value }) => value), [1, 2]);
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});
