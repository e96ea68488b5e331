// Case 84: subscription_count events.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startServer } from './harness.mjs';

const kCount = 'pusher_internal:subscription_count';

describe('subscription_count', () => {
  let server;
  before(async () => {
    server = await startServer({
      apps: [{ subscription_count: true }, { id: 'off', key: 'off-key', subscription_count: false }],
    });
  });
  after(() => server?.stop());

  const counts = (client, channel) =>
    client.all(kCount, channel).map((frame) => JSON.parse(frame.data).subscription_count);
  const waitCounts = (client, channel, expected) =>
    client.until(
      () => JSON.stringify(counts(client, channel)) === JSON.stringify(expected),
      `counts ${expected} of ${channel}, not ${counts(client, channel)}`,
    );

  it('case 84: joining and leaving tell all subscribers the new count', async () => {
    const [s1, s2] = [await server.connect(), await server.connect()];
    await s1.subscribe('room');
    await waitCounts(s1, 'room', [1]);
    await s2.subscribe('room');
    await waitCounts(s1, 'room', [1, 2]);
    await waitCounts(s2, 'room', [2]);
    s2.unsubscribe('room');
    await waitCounts(s1, 'room', [1, 2, 1]);
    await s2.subscribe('room');
    await waitCounts(s1, 'room', [1, 2, 1, 2]);
    await s2.close();
    await waitCounts(s1, 'room', [1, 2, 1, 2, 1]);
    for (const frame of s1.all(kCount)) assert.equal(typeof frame.data, 'string');
  });

  it('case 84: presence channels have none', async () => {
    const [s1, s2] = [await server.connect(), await server.connect()];
    await s1.join('presence-room', '1', {});
    await s2.join('presence-room', '2', {});
    await s1.barrier('presence-room');
    await s2.barrier('presence-room');
    assert.deepEqual([...s1.all(kCount), ...s2.all(kCount)], []);
  });

  it('case 84: an app without the feature has none', async () => {
    const app = server.apps[1];
    const client = await server.connect({ key: app.key, app });
    await client.subscribe('room');
    const body = { name: 'marker', channels: ['room'], data: '{}' };
    await server.request('POST', '/events', { app, body });
    await client.waitFor('marker');
    assert.deepEqual(client.all(kCount), []);
  });
});
