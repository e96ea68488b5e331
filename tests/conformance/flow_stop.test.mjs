// A stop loses nothing that rules hold: not what comes while the server drains, and not what is on its way through a chain.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';

import { startServer } from './harness.mjs';

/** They are told to go one after the other, so the last one is there for most of the time. */
const kReaders = 8;

async function readersOf(server, channels) {
  const readers = [];
  for (let i = 0; i < kReaders; i++) {
    const client = await server.connect();
    for (const channel of channels) await client.subscribe(channel);
    readers.push(client);
  }
  return readers;
}

/** Resolves when a reader has each of these [channel, data]. */
function somebodyHas(readers, wanted) {
  const has = (client) => wanted.every(([channel, data]) => client.all('e', channel).some((frame) => frame.data === data));
  return Promise.any(readers.map((client) => client.until(() => has(client), JSON.stringify(wanted), { even_closed: true })));
}

for (const shards of [1, 2]) {
  describe(`a stop of ${shards} shard(s)`, () => {
    it('delivers what it takes while it drains', async () => {
      const server = await startServer({
        apps: [{ flow: ['b batch=1h', 'c conflate=1h'] }],
        server: { shards, drain_ms: 6_000 },
      });
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      const readers = await readersOf(server, ['b', 'c']);
      const publish = (channel, data) => server.request('POST', '/events', { agent, body: { name: 'e', channels: [channel], data } });
      assert.equal((await publish('b', '1')).status, 200);
      server.child.kill('SIGTERM');
      await server.waitForLog((entry) => entry.event === 'draining');
      // The connection of the agent was there before.
      for (const [channel, data] of [['b', '2'], ['c', '3']]) assert.equal((await publish(channel, data)).status, 200);
      // Together or one by one: it depends on when the turns of the drain come.
      const batched = (client) => client.all('e', 'b').flatMap(({ data }) => JSON.parse(data)).join();
      const has = (client) => batched(client) === '1,2' && client.all('e', 'c').map(({ data }) => data).join() === '3';
      await Promise.any(readers.map((client) => client.until(() => has(client), 'all that was published', { even_closed: true })));
      agent.destroy();
      await server.stop();
    });

    it('sends what is held through chains of rules', async () => {
      const flow = [];
      for (const length of [1, 2, 3, 4, 7]) {
        for (let i = 0; i < length; i++) flow.push(`c${length}-${i} batch=1h to=c${length}-${i + 1}`);
      }
      const server = await startServer({ apps: [{ flow: [...flow, 'place batch=1h', 'from batch=1h to=place'] }], server: { shards, drain_ms: 6_000 } });
      const readers = await readersOf(server, ['c1-1', 'c2-2', 'c3-3', 'c4-4', 'c7-7', 'place']);
      const wanted = [];
      for (const length of [1, 2, 3, 4, 7]) {
        await server.publish(`c${length}-0`, 'e', '1');
        wanted.push([`c${length}-${length}`, `${'['.repeat(length)}1${']'.repeat(length)}`]);
      }
      await server.publish('from', 'e', '1');
      server.child.kill('SIGTERM');
      await somebodyHas(readers, [...wanted, ['place', '[[1]]']]);
      await server.stop();
    });

    it('also when nobody reads, into a durable channel', async () => {
      const directory = mkdtempSync(path.join(tmpdir(), 'kilat-flow-stop-'));
      const options = {
        apps: [{ flow: ['a batch=1h to=b', 'b batch=1h to=c', 'c batch=1h to=kept'], history: ['kept durable'] }],
        history: { file: `${directory}/history.db` },
        server: { shards },
      };
      const first = await startServer(options);
      await first.publish('a', 'e', '1');
      await first.stop();
      const second = await startServer(options);
      const { json } = await second.request('GET', '/channels/kept/history');
      assert.deepEqual(json.events.map(({ data }) => data), ['[[[1]]]']);
      await second.stop();
      rmSync(directory, { recursive: true });
    });
  });
}
