// Cases 67-72: cache channels.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { eventually, startServer } from './harness.mjs';

const kSucceeded = 'pusher_internal:subscription_succeeded';

describe('cache', () => {
  let server;
  before(async () => {
    server = await startServer({ apps: [{}, { id: 'brief', key: 'brief-key', cache_ttl_s: 1 }] });
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  /** Subscribes a new client and returns the first two frames of the channel. */
  async function firstFrames(channel, options = {}) {
    const client = await server.connect(options);
    if (channel.startsWith('presence-')) await client.join(channel, '1', {});
    else await client.subscribe(channel);
    const frames = () => client.frames.filter((frame) => frame.channel === channel);
    await client.until(() => frames().length >= 2, `two frames of ${channel}`);
    return { client, frames: frames().slice(0, 2) };
  }

  it('case 67: the first subscription succeeds, then misses', async () => {
    const { frames } = await firstFrames('cache-67');
    assert.deepEqual(frames, [
      { event: kSucceeded, channel: 'cache-67', data: '{}' },
      { event: 'pusher:cache_miss', channel: 'cache-67', data: '{}' },
    ]);
  });

  it('case 68: a later subscriber gets the success, then the last event', async () => {
    const { client } = await firstFrames('cache-68');
    const data = '{"price":"1\\/2","unit":"\\u20ac"}';
    await server.publish('cache-68', 'price', data);
    await client.waitFor('price');
    const { client: second, frames } = await firstFrames('cache-68');
    assert.deepEqual(frames, [
      { event: kSucceeded, channel: 'cache-68', data: '{}' },
      { event: 'price', channel: 'cache-68', data },
    ]);
    await second.barrier('cache-68');
    assert.equal(second.all('price').length, 1);
    assert.deepEqual(second.all('pusher:cache_miss'), []);
  });

  it('case 69: an event published to nobody is kept', async () => {
    await server.publish('cache-69', 'early', '1');
    const { frames } = await firstFrames('cache-69');
    assert.deepEqual(frames[1], { event: 'early', channel: 'cache-69', data: '1' });
  });

  it('case 70: only the last event is kept', async () => {
    await server.publish('cache-70', 'first', '1');
    await server.publish('cache-70', 'second', '2');
    const { client, frames } = await firstFrames('cache-70');
    assert.deepEqual(frames[1], { event: 'second', channel: 'cache-70', data: '2' });
    await client.barrier('cache-70');
    assert.deepEqual(client.all('first'), []);
  });

  it('case 71: after its time to live the event is gone', async () => {
    const app = server.apps[1];
    const body = { name: 'short', channels: ['cache-71'], data: '1' };
    const response = await server.request('POST', '/events', { app, body });
    assert.equal(response.status, 200, response.text);
    const frame = await eventually(async () => {
      const { client, frames } = await firstFrames('cache-71', { key: app.key, app });
      client.terminate();
      return frames[1].event === 'pusher:cache_miss' ? frames[1] : null;
    }, 'a cache miss');
    assert.equal(frame.channel, 'cache-71');
  });

  for (const channel of ['private-cache-72', 'presence-cache-72', 'private-encrypted-cache-72']) {
    it(`case 72: ${channel} takes the auth of its base type and is cached`, async () => {
      const refused = await server.connect();
      refused.sendSubscribe(channel, { auth: '' });
      await refused.waitFor((f) => f.event === 'pusher:subscription_error' && f.channel === channel);
      const { frames } = await firstFrames(channel);
      assert.equal(frames[0].event, kSucceeded);
      assert.equal(frames[1].event, 'pusher:cache_miss');
      const data = '{"nonce":"AAAA","ciphertext":"BBBB"}';
      await server.publish(channel, 'kept', data);
      const { frames: later } = await firstFrames(channel);
      const kept = later.find((frame) => frame.event === 'kept');
      assert.deepEqual(kept, { event: 'kept', channel, data });
    });
  }
});
