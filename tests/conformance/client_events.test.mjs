// Cases 57-66: client events.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectError } from './asserts.mjs';
import { assertRow, eventually, startServer } from './harness.mjs';

const kEventBytesMax = 10_240;

describe('client_events', () => {
  let server;
  before(async () => {
    server = await startServer({
      apps: [
        { event_bytes_max: kEventBytesMax },
        { id: 'off', key: 'off-key', client_events: false },
        { id: 'public', key: 'public-key', client_events_on_public: true },
      ],
    });
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  /** Two connections of an app, by its id. */
  async function pair(id = 'app-id') {
    const app = server.apps.find((candidate) => candidate.id === id);
    return Promise.all([server.connect({ key: app.key, app }), server.connect({ key: app.key, app })]);
  }

  async function publish(app, channel, name) {
    const body = { name, channels: [channel], data: '{}' };
    const response = await server.request('POST', '/events', { app, body });
    assert.equal(response.status, 200, response.text);
  }

  /** Publishes a marker after what was sent and asserts that `event` came before it to nobody. */
  async function assertNotRelayed(reader, channel, event) {
    await publish(reader.app, channel, 'marker');
    await reader.waitFor((f) => f.event === 'marker' && f.channel === channel);
    assert.deepEqual(reader.all(event), []);
  }

  it('case 57: on a private channel the other gets it, the sender does not', async () => {
    const [s1, s2] = await pair();
    await s1.subscribe('private-57');
    await s2.subscribe('private-57');
    s1.trigger('client-x', 'private-57', { a: 1 });
    const frame = await s2.waitFor('client-x');
    assert.deepEqual(frame, { event: 'client-x', channel: 'private-57', data: { a: 1 } });
    await s1.barrier('private-57');
    assert.deepEqual(s1.all('client-x'), []);
  });

  it('case 58: on a presence channel the frame names the sender', async () => {
    const [s1, s2] = await pair();
    await s1.join('presence-58', 1, {});
    await s2.join('presence-58', '2', {});
    s1.trigger('client-x', 'presence-58', { a: 1 });
    const frame = await s2.waitFor('client-x');
    assert.deepEqual(frame, { event: 'client-x', channel: 'presence-58', data: { a: 1 }, user_id: '1' });
  });

  it('case 59: a user_id from the client is replaced or dropped', async () => {
    const [s1, s2] = await pair();
    for (const client of [s1, s2]) await client.subscribe('private-59');
    await s1.join('presence-59', '1', {});
    await s2.join('presence-59', '2', {});
    s1.trigger('client-x', 'presence-59', {}, { user_id: '999' });
    const frame = await s2.waitFor((f) => f.event === 'client-x' && f.channel === 'presence-59');
    assert.equal(frame.user_id, '1');
    s1.trigger('client-x', 'private-59', {}, { user_id: '999', socket_id: '1.1' });
    const plain = await s2.waitFor((f) => f.event === 'client-x' && f.channel === 'private-59');
    assert.deepEqual(plain, { event: 'client-x', channel: 'private-59', data: {} });
  });

  for (const channel of ['case-60', 'cache-case-60', 'private-encrypted-60']) {
    it(`case 60: on ${channel} it is refused with 4301`, async () => {
      assertRow('client_event_channel_refused', { pusherCode: 4301, closeCode: 0 });
      const [s1, s2] = await pair();
      await s1.subscribe(channel);
      await s2.subscribe(channel);
      s1.trigger('client-x', channel, {});
      await expectError(s1, 'client_event_channel_refused');
      await assertNotRelayed(s2, channel, 'client-x');
    });
  }

  it('case 60: with client_events_on_public it is relayed on a public channel', async () => {
    const [s1, s2] = await pair('public');
    await s1.subscribe('case-60');
    await s2.subscribe('case-60');
    s1.trigger('client-x', 'case-60', [1]);
    const frame = await s2.waitFor('client-x');
    assert.deepEqual(frame, { event: 'client-x', channel: 'case-60', data: [1] });
  });

  it('case 61: from a sender that is not subscribed it is not relayed', async () => {
    assertRow('client_event_not_subscribed', { pusherCode: null, closeCode: 0 });
    const [s1, s2] = await pair();
    await s2.subscribe('private-61');
    s1.trigger('client-x', 'private-61', {});
    await expectError(s1, 'client_event_not_subscribed');
    await assertNotRelayed(s2, 'private-61', 'client-x');
  });

  it('case 62: with client events off it is refused with 4301 and the socket stays', async () => {
    assertRow('client_events_disabled', { pusherCode: 4301, closeCode: 0 });
    const [s1, s2] = await pair('off');
    await s1.subscribe('private-62');
    await s2.subscribe('private-62');
    s1.trigger('client-x', 'private-62', {});
    const error = await expectError(s1, 'client_events_disabled');
    assert.equal(error.data.message, 'The app does not have client messaging enabled.');
    await s1.ping();
    await assertNotRelayed(s2, 'private-62', 'client-x');
  });

  it('case 63: of eleven in one burst ten are relayed, and later it works again', async () => {
    assertRow('client_event_rate_limited', { pusherCode: 4301, closeCode: 0 });
    const [s1, s2] = await pair();
    await s1.subscribe('private-63');
    await s2.subscribe('private-63');
    // One TCP write, so that the burst takes no time on the server.
    const tcp = s1.socket._socket;
    tcp.cork();
    for (let i = 1; i <= 11; ++i) s1.trigger('client-x', 'private-63', i);
    tcp.uncork();
    await expectError(s1, 'client_event_rate_limited');
    await s2.barrier('private-63');
    assert.deepEqual(s2.all('client-x').map((frame) => frame.data), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.equal(s1.all('pusher:error').length, 1);
    await eventually(async () => {
      s1.trigger('client-again', 'private-63', 1);
      await s1.ping();
      return s2.all('client-again').length > 0;
    }, 'a client event after the burst');
  });

  it('case 64: data keeps its type', async () => {
    const [s1, s2] = await pair();
    await s1.subscribe('private-64');
    await s2.subscribe('private-64');
    const values = ['text', 5, -1.5e3, null, { a: { b: [] } }, [1, '2'], true, '', 'é😀"\\'];
    for (const [i, value] of values.entries()) s1.trigger(`client-${i}`, 'private-64', value);
    for (const [i, value] of values.entries()) {
      const frame = await s2.waitFor(`client-${i}`);
      assert.ok('data' in frame);
      assert.deepStrictEqual(frame.data, value);
    }
  });

  it('case 65: a name of 201 characters and data over the limit are refused with 4301', async () => {
    assertRow('client_event_name_too_long', { pusherCode: 4301, closeCode: 0 });
    assertRow('client_event_too_big', { pusherCode: 4301, closeCode: 0 });
    const [s1, s2] = await pair();
    await s1.subscribe('private-65');
    await s2.subscribe('private-65');
    const name = `client-${'n'.repeat(194)}`;
    s1.trigger(name, 'private-65', {});
    await expectError(s1, 'client_event_name_too_long');
    s1.trigger('client-big', 'private-65', 'x'.repeat(kEventBytesMax + 10));
    await expectError(s1, 'client_event_too_big');
    s1.trigger(name.slice(0, 200), 'private-65', {});
    await s2.waitFor(name.slice(0, 200));
    s1.trigger('client-fits', 'private-65', 'x'.repeat(kEventBytesMax - 10));
    await s2.waitFor('client-fits');
    assert.deepEqual(s2.all('client-big'), []);
    assert.deepEqual(s2.all(name), []);
  });

  it('case 66: on a cache channel it is delivered and not cached', async () => {
    const [s1, s2] = await pair();
    await s1.subscribe('private-cache-66');
    await s2.subscribe('private-cache-66');
    s1.trigger('client-x', 'private-cache-66', {});
    await s2.waitFor('client-x');
    const late = await server.connect();
    await late.subscribe('private-cache-66');
    await late.waitFor('pusher:cache_miss');
    assert.deepEqual(late.all('client-x'), []);
  });
});
