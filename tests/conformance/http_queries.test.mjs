// Cases 105-111: GET channels, channel and users.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { expectHttpError } from './asserts.mjs';
import { assertRow, startServer } from './harness.mjs';

describe('http_queries', () => {
  let server;
  before(async () => {
    server = await startServer({ apps: [{}, { id: 'empty', key: 'empty-key', secret: 'empty-secret' }] });
    const clients = await Promise.all([server.connect(), server.connect(), server.connect()]);
    const [s1, s2, s3] = clients;
    await s1.join('presence-room', '1', {});
    await s2.join('presence-room', '1', {});
    await s3.join('presence-room', 2, {});
    await s1.join('presence-other', '1', {});
    for (const client of clients) await client.subscribe('public-room');
    await s1.subscribe('cache-room');
    await s1.subscribe('cache-full');
    await server.publish('cache-full', 'e', '{"a":1}');
  });
  after(() => server?.stop());

  const get = (path, query = {}, app = undefined) => server.request('GET', path, { query, app });

  async function ok(path, query, app) {
    const response = await get(path, query, app);
    assert.equal(response.status, 200, response.text);
    return response.json;
  }

  async function assertRefused(path, query, id) {
    assertRow(id, { httpStatus: 400 });
    await expectHttpError(server, await get(path, query), id);
  }

  it('case 105: with nothing occupied channels is an empty object', async () => {
    const response = await get('/channels', {}, server.apps[1]);
    assert.equal(response.status, 200);
    assert.equal(response.text.replace(/\s/g, ''), '{"channels":{}}');
  });

  it('case 105: all occupied channels of the app are listed, those of others are not', async () => {
    const { channels } = await ok('/channels');
    const names = ['cache-full', 'cache-room', 'presence-other', 'presence-room', 'public-room'];
    assert.deepEqual(Object.keys(channels).sort(), names);
    for (const value of Object.values(channels)) assert.equal(typeof value, 'object');
  });

  it('case 106: by prefix presence- with user_count come distinct users only', async () => {
    const query = { filter_by_prefix: 'presence-', info: 'user_count' };
    const { channels } = await ok('/channels', query);
    assert.deepEqual(Object.keys(channels).sort(), ['presence-other', 'presence-room']);
    assert.equal(channels['presence-room'].user_count, 2);
    assert.equal(channels['presence-other'].user_count, 1);
  });

  it('case 106: the npm client gets the same', async () => {
    const params = { filter_by_prefix: 'presence-r', info: 'user_count' };
    const response = await server.api().get({ path: '/channels', params });
    const { channels } = await response.json();
    assert.deepEqual(Object.keys(channels), ['presence-room']);
    assert.equal(channels['presence-room'].user_count, 2);
  });

  it('case 107: user_count without the presence- prefix is refused with 400', async () => {
    await assertRefused('/channels', { info: 'user_count' }, 'api_info_invalid');
    await assertRefused('/channels', { info: 'user_count', filter_by_prefix: 'public-' }, 'api_info_invalid');
  });

  it('case 108: an unknown channel is answered 200, not occupied', async () => {
    const json = await ok('/channels/never-seen');
    assert.equal(json.occupied, false);
  });

  it('case 108: an occupied channel says so', async () => {
    const json = await ok('/channels/public-room');
    assert.equal(json.occupied, true);
  });

  it('case 109: subscription_count and cache of a cache channel', async () => {
    const info = { info: 'subscription_count,cache' };
    const full = await ok('/channels/cache-full', info);
    assert.equal(full.occupied, true);
    assert.equal(full.subscription_count, 1);
    assert.equal(full.cache.data, '{"a":1}');
    assert.ok(Number.isInteger(full.cache.ttl) && full.cache.ttl > 0 && full.cache.ttl <= 3600);
    const empty = await ok('/channels/cache-room', info);
    assert.equal(empty.subscription_count, 1);
    assert.strictEqual(empty.cache, null);
  });

  it('case 109: user_count of a presence channel counts users, elsewhere it is refused', async () => {
    const json = await ok('/channels/presence-room', { info: 'user_count' });
    assert.equal(json.user_count, 2);
    await assertRefused('/channels/public-room', { info: 'user_count' }, 'api_info_invalid');
  });

  it('case 109: subscription_count of a public channel counts sockets', async () => {
    const json = await ok('/channels/public-room', { info: 'subscription_count' });
    assert.equal(json.subscription_count, 3);
  });

  it('case 110: users are distinct and have string ids', async () => {
    const json = await ok('/channels/presence-room/users');
    json.users.sort((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(json, { users: [{ id: '1' }, { id: '2' }] });
  });

  it('case 110: a presence channel nobody is in has no users', async () => {
    assert.deepEqual(await ok('/channels/presence-nobody/users'), { users: [] });
  });

  it('case 111: users of another kind of channel are refused with 400', async () => {
    await assertRefused('/channels/public-room/users', {}, 'api_not_presence');
  });

  it('case 108: connections of the app are counted', async () => {
    assert.deepEqual(await ok('/connections'), { connections: 3 });
  });
});
