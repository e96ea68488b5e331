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
import { kWaitMs, startServer } from './harness.mjs';

const kPublish = path.join(path.dirname(kEmbedBinary), 'embed_publish');

/** `key`: hands readings in, with this idempotency key. */
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
