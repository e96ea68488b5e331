// Cases 43-56: presence channels.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectAuthError, expectSubscriptionError } from './asserts.mjs';
import { assertRow, eventually, startServer } from './harness.mjs';
import { channelAuth, hmac } from './http_client.mjs';

const kAdded = 'pusher_internal:member_added';
const kRemoved = 'pusher_internal:member_removed';

describe('presence', () => {
  let server;
  before(async () => {
    server = await startServer();
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  const presence = (frame) => JSON.parse(frame.data).presence;
  /** Waits until the server has taken `count` members of a channel, without a member's help. */
  const waitUsers = (channel, count) =>
    eventually(async () => {
      const response = await server.request('GET', `/channels/${channel}/users`);
      return response.json?.users.length === count;
    }, `${count} users on ${channel}`);

  it('case 43: the first member gets a list of itself', async () => {
    const client = await server.connect();
    const frame = await client.join('presence-43', '1', { name: 'Ann' });
    assert.equal(typeof frame.data, 'string');
    assert.deepEqual(JSON.parse(frame.data), {
      presence: { ids: ['1'], hash: { 1: { name: 'Ann' } }, count: 1 },
    });
  });

  it('case 44: a second user gets both, the first is told, the second is not', async () => {
    const [s1, s2] = [await server.connect(), await server.connect()];
    await s1.join('presence-44', '1', { name: 'Ann' });
    const list = presence(await s2.join('presence-44', '2', { name: 'Bob' }));
    assert.deepEqual(list.ids.sort(), ['1', '2']);
    assert.deepEqual(list.hash, { 1: { name: 'Ann' }, 2: { name: 'Bob' } });
    assert.equal(list.count, 2);
    const added = await s1.waitFor(kAdded);
    assert.equal(added.channel, 'presence-44');
    assert.equal(typeof added.data, 'string');
    assert.deepEqual(JSON.parse(added.data), { user_id: '2', user_info: { name: 'Bob' } });
    await s2.barrier('presence-44');
    assert.deepEqual(s2.all(kAdded), []);
  });

  it('case 45: a second socket of a user changes nothing but gets the list', async () => {
    const [s1, s2, tab] = await Promise.all([server.connect(), server.connect(), server.connect()]);
    await s1.join('presence-45', '1', { tab: 1 });
    await s2.join('presence-45', '2', {});
    await s1.waitFor(kAdded);
    const list = presence(await tab.join('presence-45', '1', { tab: 2 }));
    assert.deepEqual(list.ids.sort(), ['1', '2']);
    assert.equal(list.count, 2);
    assert.deepEqual(list.hash['1'], { tab: 1 }, 'the first user_info stays until the last socket leaves');
    for (const client of [s1, s2]) await client.barrier('presence-45');
    assert.equal(s1.all(kAdded).length, 1);
    assert.deepEqual(s2.all(kAdded), []);
  });

  it('case 46: one of two sockets of a user closes without member_removed', async () => {
    const [witness, a, b] = await Promise.all([server.connect(), server.connect(), server.connect()]);
    await witness.join('presence-46', '9', {});
    await a.join('presence-46', '1', {});
    await b.join('presence-46', '1', {});
    await a.close();
    await server.closeLog(a.socket_id, 'client_closed');
    await witness.barrier('presence-46');
    assert.deepEqual(witness.all(kRemoved), []);
    // Still a member: another socket's list says so.
    const other = await server.connect();
    const list = presence(await other.join('presence-46', '3', {}));
    assert.deepEqual(list.ids.sort(), ['1', '3', '9']);
    assert.deepEqual(witness.all(kRemoved), []);
  });

  it('case 47: a TCP reset of the last socket gives one member_removed', async () => {
    assertRow('client_gone', { closeCode: 0, pusherCode: 0 });
    const [witness, gone] = [await server.connect(), await server.connect()];
    await witness.join('presence-47', '9', {});
    await gone.join('presence-47', '1', {});
    gone.socket._socket.resetAndDestroy();
    const removed = await witness.waitFor(kRemoved);
    assert.equal(removed.channel, 'presence-47');
    assert.equal(typeof removed.data, 'string');
    assert.deepEqual(JSON.parse(removed.data), { user_id: '1' });
    await server.closeLog(gone.socket_id, 'client_gone');
    await witness.barrier('presence-47');
    assert.equal(witness.all(kRemoved).length, 1);
  });

  it('case 48: unsubscribing gives one member_removed, and none to the leaver', async () => {
    const [witness, leaver] = [await server.connect(), await server.connect()];
    await witness.join('presence-48', '9', {});
    await leaver.join('presence-48', '1', {});
    leaver.unsubscribe('presence-48');
    const removed = await witness.waitFor(kRemoved);
    assert.deepEqual(JSON.parse(removed.data), { user_id: '1' });
    leaver.unsubscribe('presence-48');
    await leaver.ping();
    const list = presence(await leaver.join('presence-48', '1', {}));
    assert.deepEqual(list.ids.sort(), ['1', '9']);
    await leaver.barrier('presence-48');
    await witness.barrier('presence-48');
    assert.deepEqual(leaver.all(kRemoved), []);
    assert.equal(witness.all(kRemoved).length, 1);
  });

  it('case 49: user_id 10 and "10" are one member with a string id', async () => {
    const [s1, s2] = [await server.connect(), await server.connect()];
    const first = presence(await s1.join('presence-49', 10, { n: 1 }));
    assert.deepEqual(first, { ids: ['10'], hash: { 10: { n: 1 } }, count: 1 });
    const second = presence(await s2.join('presence-49', '10', { n: 2 }));
    assert.deepEqual(second, { ids: ['10'], hash: { 10: { n: 1 } }, count: 1 });
    await s1.barrier('presence-49');
    assert.deepEqual(s1.all(kAdded), []);
  });

  it('case 49: a numeric user_id reaches others as a string', async () => {
    const [s1, s2] = [await server.connect(), await server.connect()];
    await s1.join('presence-49b', '1', {});
    await s2.join('presence-49b', 10, {});
    const added = await s1.waitFor(kAdded);
    assert.strictEqual(JSON.parse(added.data).user_id, '10');
    await s2.close();
    const removed = await s1.waitFor(kRemoved);
    assert.strictEqual(JSON.parse(removed.data).user_id, '10');
  });

  for (const [name, channel_data] of [
    ['without user_id', '{"user_info":{}}'],
    ['with an empty user_id', '{"user_id":""}'],
    ['with user_id null', '{"user_id":null}'],
    ['with a user_id that is an object', '{"user_id":{}}'],
    ['that is not JSON', 'not json'],
    ['that is an array', '[]'],
    ['that is missing', undefined],
  ]) {
    it(`case 50: correctly signed channel_data ${name} is refused`, async () => {
      assertRow('presence_data_invalid', { pusherCode: 4009, closeCode: 0 });
      const client = await server.connect();
      client.sendSubscribe('presence-50', { channel_data });
      await expectSubscriptionError(client, 'presence-50', 'presence_data_invalid');
      const response = await server.request('GET', '/channels/presence-50');
      assert.equal(response.json.occupied, false);
    });
  }

  it('case 51: channel_data changed after signing is refused', async () => {
    const client = await server.connect();
    const auth = channelAuth(server.app, client.socket_id, 'presence-51', '{"user_id":"1"}');
    client.sendSubscribe('presence-51', { auth, channel_data: '{"user_id":"2"}' });
    await expectAuthError(client, 'presence-51', 'channel_auth_invalid');
  });

  it('case 52: a member without user_info is in the list with an empty object', async () => {
    const [s1, s2] = [await server.connect(), await server.connect()];
    const list = presence(await s1.join('presence-52', '1', undefined));
    assert.deepEqual(list, { ids: ['1'], hash: { 1: {} }, count: 1 });
    await s2.join('presence-52', '2', undefined);
    const added = await s1.waitFor(kAdded);
    assert.deepEqual(JSON.parse(added.data), { user_id: '2' }, 'no user_info key when there is none');
  });

  it('case 53: user_info over 2 KiB is refused with 4301, one below is taken', async () => {
    assertRow('presence_member_too_big', { pusherCode: 4301, closeCode: 0 });
    const client = await server.connect();
    const channel_data = JSON.stringify({ user_id: '1', user_info: { x: 'y'.repeat(2150) } });
    client.sendSubscribe('presence-53', { channel_data });
    const limit = { type: 'LimitReached', status: 4301 };
    await expectSubscriptionError(client, 'presence-53', 'presence_member_too_big', limit);
    await client.join('presence-53b', '1', { x: 'y'.repeat(2000) });
  });

  it('case 54: the 101st member is refused with 4100, a second tab of a member is admitted', async () => {
    assertRow('presence_channel_full', { pusherCode: 4100, closeCode: 0 });
    const members = [];
    for (let i = 0; i < 100; i += 20) {
      const group = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
      await Promise.all(group.map((client, k) => client.join('presence-54', String(i + k), {})));
      members.push(...group);
    }
    const late = await server.connect();
    late.sendSubscribe('presence-54', { channel_data: '{"user_id":"100"}' });
    const limit = { type: 'LimitReached', status: 4100 };
    await expectSubscriptionError(late, 'presence-54', 'presence_channel_full', limit);
    const list = presence(await late.join('presence-54', '7', {}));
    assert.equal(list.count, 100);
    await members[0].close();
    await waitUsers('presence-54', 99);
    const next = await server.connect();
    assert.equal(presence(await next.join('presence-54', '100', {})).count, 100);
  });

  it('case 55: a signature over another user_info is refused', async () => {
    // The documentation prints the second signature under the first text.
    const secret = '7ad3773142a6692b25b8';
    const channels = '{"user_id":10,"user_info":{"name":"Mr. Channels"}}';
    const pusher = '{"user_id":10,"user_info":{"name":"Mr. Pusher"}}';
    const text = (data) => hmac(secret, `1234.1234:presence-foobar:${data}`);
    assert.equal(text(channels), '31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80');
    assert.equal(text(pusher), 'afaed3695da2ffd16931f457e338e6c9f2921fa133ce7dac49f529792be6304c');
    const client = await server.connect();
    const auth = channelAuth(server.app, client.socket_id, 'presence-foobar', pusher);
    client.sendSubscribe('presence-foobar', { auth, channel_data: channels });
    await expectAuthError(client, 'presence-foobar', 'channel_auth_invalid');
    await client.subscribe('presence-foobar', { channel_data: channels });
  });

  it('case 56: user_info with characters beyond ASCII is returned intact', async () => {
    const info = { name: 'é😀', quote: '"\\/\u0001', script: '</script>' };
    const [s1, s2] = [await server.connect(), await server.connect()];
    const first = presence(await s1.join('presence-56', '1', info));
    assert.deepEqual(first.hash['1'], info);
    // The same text as PHP writes it: escaped, and signed as those bytes.
    const channel_data = '{"user_id":"2","user_info":{"name":"\\u00e9\\ud83d\\ude00","path":"a\\/b"}}';
    const second = presence(await s2.subscribe('presence-56', { channel_data }));
    assert.deepEqual(second.hash, { 1: info, 2: { name: 'é😀', path: 'a/b' } });
    const added = await s1.waitFor(kAdded);
    assert.deepEqual(JSON.parse(added.data).user_info, { name: 'é😀', path: 'a/b' });
  });
});
