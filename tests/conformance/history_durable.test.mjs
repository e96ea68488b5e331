// Durable channels: what was acknowledged survives kill -9, nothing comes twice, and a file that can't be used is said.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { expectHttpError } from './asserts.mjs';
import { startServer } from './harness.mjs';
import { request } from './http_client.mjs';

const kRules = ['jobs* size=100000 age=1h bytes=64MiB durable', 'cache-last durable', 'free size=100'];

describe('durable history', () => {
  let folder;
  before(() => { folder = mkdtempSync(path.join(tmpdir(), 'kilat-durable-')); });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name) => path.join(folder, name);
  const start = (name, options = {}) =>
    startServer({ apps: [{ history: kRules }], history: { file: file(name) }, ...options });
  const events = (client, channel) => client.frames.filter((f) => f.channel === channel && !f.event.startsWith('pusher'));
  const positionOf = (frame) => JSON.parse(frame.data).position;

  it('positions and events survive a restart; the file is the owner\'s alone', async () => {
    let server = await start('restart.db');
    const client = await server.connect();
    const first = positionOf(await client.subscribe('jobs', { recover: true }));
    for (const data of ['a', 'b', 'c']) await server.publish('jobs', 'e', data, { info: 'position' });
    await client.until(() => events(client, 'jobs').length === 3, 'three events');
    assert.equal(statSync(file('restart.db')).mode & 0o777, 0o600);
    await server.stop();
    server = await start('restart.db');
    const back = await server.connect();
    const answer = JSON.parse((await back.subscribe('jobs', { recover: { ...first, offset: 1 } })).data);
    assert.deepEqual(answer, { position: { ...first, offset: 3 }, recovered: true });
    await server.publish('jobs', 'e', 'd');
    await back.until(() => events(back, 'jobs').length === 3, 'three events');
    assert.deepEqual(events(back, 'jobs').map(({ data, offset }) => [data, offset]), [['b', 2], ['c', 3], ['d', 4]]);
    await server.stop();
  });

  it('a position from before the first event holds after a restart too', async () => {
    let server = await start('empty.db');
    const client = await server.connect();
    const first = positionOf(await client.subscribe('jobs', { recover: true }));
    assert.equal(first.offset, 0);
    await server.stop();
    server = await start('empty.db');
    await server.publish('jobs', 'e', 'a', { info: 'position' });
    const back = await server.connect();
    const answer = JSON.parse((await back.subscribe('jobs', { recover: first })).data);
    assert.deepEqual(answer, { position: { ...first, offset: 1 }, recovered: true });
    await back.until(() => events(back, 'jobs').length === 1, 'the event');
    await server.stop();
  });

  it('kill -9 under load, many times: nothing acknowledged is missing, nothing comes twice, order stays', async () => {
    const rounds = process.env.KILAT_LONG === '1' ? 100 : 12;
    const channels = ['jobs.1', 'jobs.2', 'jobs.3'];
    const acknowledged = new Map(channels.map((channel) => [channel, []]));
    const seen = new Map(channels.map((channel) => [channel, []]));
    const position = new Map();
    let number = 0;
    for (let round = 0; round < rounds; round++) {
      const server = await start('kill.db');
      const reader = await server.connect();
      for (const channel of channels) {
        const asked = position.get(channel);
        const answer = JSON.parse((await reader.subscribe(channel, { recover: asked ?? true })).data);
        if (asked) assert.equal(answer.recovered, true, `${channel}: ${JSON.stringify(answer)}`);
        else position.set(channel, answer.position);
      }
      let ended = false;
      const publishers = channels.flatMap((channel) => [0, 1].map(async () => {
        while (!ended) {
          const data = String(++number);
          const answer = await request(server, 'POST', '/events', { body: { name: 'e', channel, data } }).catch(() => null);
          if (answer?.status === 200) acknowledged.get(channel).push(data);
        }
      }));
      await new Promise((resolve) => { setTimeout(resolve, 30 + Math.random() * 120); });
      server.child.kill('SIGKILL');
      await reader.waitClose();
      ended = true;
      await Promise.all(publishers);
      await server.kill9();
      for (const channel of channels) {
        for (const { data, offset } of events(reader, channel)) {
          const at = position.get(channel);
          assert.equal(offset, at.offset + 1, `${channel} in round ${round}`);
          position.set(channel, { ...at, offset });
          seen.get(channel).push(data);
        }
      }
    }
    const server = await start('kill.db');
    for (const channel of channels) {
      const { events: kept } = await server.history(channel);
      assert.deepEqual(kept.map(({ offset }) => offset), kept.map((_, i) => i + 1), 'offsets without a gap');
      const texts = kept.map(({ data }) => data);
      assert.equal(new Set(texts).size, texts.length, 'nothing twice');
      const missing = acknowledged.get(channel).filter((data) => !texts.includes(data));
      assert.deepEqual(missing, [], 'nothing acknowledged is missing');
      assert.deepEqual(seen.get(channel), texts.slice(0, seen.get(channel).length), 'what was seen is what is kept');
      assert.ok(acknowledged.get(channel).length > rounds);
    }
    await server.stop();
  });

  it('an idempotency key is known after a restart', async () => {
    let server = await start('keys.db');
    const body = { name: 'e', channel: 'jobs', data: 'once', idempotency_key: 'k1', info: 'position' };
    const first = await server.request('POST', '/events', { body });
    await server.kill9();
    server = await start('keys.db');
    const again = await server.request('POST', '/events', { body });
    assert.deepEqual(again.json.channels.jobs, first.json.channels.jobs);
    assert.equal((await server.history('jobs')).events.length, 1);
    await server.stop();
  });

  it('a full disk: durable events are refused, all others go on, readiness says so, and it ends by itself', async () => {
    const server = await start('full.db');
    const client = await server.connect();
    await client.subscribe('free');
    await client.subscribe('jobs');
    await server.publish('jobs', 'before', 'x');
    await client.waitFor('before');
    const wal = `${file('full.db')}-wal`;
    const limit = (bytes) => execFileSync('prlimit', ['--pid', server.child.pid, `--fsize=${bytes}:unlimited`]);
    limit(statSync(wal).size);
    const refused = await server.request('POST', '/events', { body: { name: 'lost', channel: 'jobs', data: 'y'.repeat(9000) } });
    await expectHttpError(server, refused, 'history_unavailable');
    await server.publish('free', 'alive', 'x');
    await client.waitFor('alive');
    limit('unlimited');
    for (let tries = 0; ; tries++) {
      const answer = await server.request('POST', '/events', { body: { name: 'after', channel: 'jobs', data: 'z' } });
      if (answer.status === 200) break;
      assert.ok(tries < 100);
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
    await client.waitFor('after');
    assert.equal(client.all('lost').length, 0);
    const { events: kept } = await server.history('jobs');
    assert.deepEqual(kept.map(({ event, offset }) => [event, offset]), [['before', 1], ['after', 2]]);
    await server.stop();
  });

  it('a file that is damaged, of another kind, or not given ends the start with what to do', async () => {
    writeFileSync(file('damaged.db'), 'this is no database'.repeat(1000));
    await assert.rejects(start('damaged.db'), /damaged\.db/);
    await assert.rejects(startServer({ apps: [{ history: kRules }] }), /history\.file/);
    const server = await start('busy.db');
    await assert.rejects(start('busy.db'), /busy\.db/);
    await server.stop();
  });
});
