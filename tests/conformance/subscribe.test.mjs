// Cases 27-37: public subscriptions and channel names.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectSubscriptionError } from './asserts.mjs';
import { assertRow, eventually, startServer } from './harness.mjs';

describe('subscribe', () => {
  let server;
  before(async () => {
    server = await startServer({ apps: [{ subscriptions_max: 40 }] });
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  it('case 27: a public subscription succeeds with data "{}"', async () => {
    const client = await server.connect();
    const frame = await client.subscribe('test', { auth: '' });
    assert.deepEqual(frame, { event: 'pusher_internal:subscription_succeeded', channel: 'test', data: '{}' });
  });

  it('case 28: it succeeds without an auth key too', async () => {
    const client = await server.connect();
    client.send({ event: 'pusher:subscribe', data: { channel: 'test' } });
    const frame = await client.waitFor('pusher_internal:subscription_succeeded');
    assert.deepEqual(frame, { event: 'pusher_internal:subscription_succeeded', channel: 'test', data: '{}' });
  });

  it('case 29: subscribing twice gives one copy of each event and a count of one', async () => {
    const client = await server.connect();
    await client.subscribe('case-29');
    client.sendSubscribe('case-29');
    await client.ping();
    await server.publish('case-29', 'once', '1');
    await client.barrier('case-29');
    assert.equal(client.all('once').length, 1);
    assert.ok(client.all('pusher_internal:subscription_succeeded').length <= 2);
    const query = { info: 'subscription_count' };
    const response = await server.request('GET', '/channels/case-29', { query });
    assert.equal(response.json.subscription_count, 1);
    // One unsubscribe undoes both.
    client.unsubscribe('case-29');
    await client.ping();
    const other = await server.connect();
    await other.subscribe('case-29');
    await server.publish('case-29', 'gone', '1');
    await other.waitFor('gone');
    await client.subscribe('case-29');
    await client.barrier('case-29');
    assert.deepEqual(client.all('gone'), []);
  });

  it('case 30: data as a string of JSON is accepted', async () => {
    const client = await server.connect();
    client.send({ event: 'pusher:subscribe', data: JSON.stringify({ channel: 'case-30' }) });
    const frame = await client.waitFor('pusher_internal:subscription_succeeded');
    assert.equal(frame.channel, 'case-30');
  });

  it('case 31: a name of 201 characters is refused, one of 200 is taken', async () => {
    assertRow('channel_name_too_long', { pusherCode: 4009, closeCode: 0 });
    const client = await server.connect();
    const name = 'n'.repeat(201);
    client.sendSubscribe(name);
    const limit = { type: 'LimitReached', status: 4009 };
    await expectSubscriptionError(client, name, 'channel_name_too_long', limit);
    await client.subscribe('n'.repeat(200));
  });

  it('case 33: names with , ; . @ = - _ are taken', async () => {
    const client = await server.connect();
    for (const name of ['a,b', 'a;b', 'a.b', 'a@b', 'a=b', 'a-b', 'a_b', 'App.Models.User,1;2@x=y-z_']) {
      const frame = await client.subscribe(name);
      assert.equal(frame.channel, name);
    }
  });

  it('case 34: names that only resemble a prefix are plain public channels', async () => {
    const client = await server.connect();
    for (const name of ['my-private-x', 'foo-cache-bar', 'privateer', 'presenceless', 'cached', 'private', 'my-presence-x']) {
      const frame = await client.subscribe(name, { auth: '' });
      assert.equal(frame.data, '{}');
      await client.barrier(name);
    }
    assert.deepEqual(client.all('pusher:cache_miss'), []);
  });

  it('case 35: after unsubscribing nothing is delivered', async () => {
    const [client, witness] = [await server.connect(), await server.connect()];
    await client.subscribe('case-35');
    await witness.subscribe('case-35');
    client.unsubscribe('case-35');
    await client.ping();
    await server.api().trigger('case-35', 'hidden', { a: 1 });
    await witness.waitFor('hidden');
    // The next subscription is ordered behind that event: what has not come by its marker never will.
    await client.subscribe('case-35');
    await client.barrier('case-35');
    assert.deepEqual(client.all('hidden'), []);
  });

  it('case 36: unsubscribing from a channel never joined is silent', async () => {
    const client = await server.connect();
    client.unsubscribe('case-36');
    client.unsubscribe('private-case-36');
    client.unsubscribe('presence-case-36');
    await client.ping();
    await client.ping();
    const events = client.frames.map((frame) => frame.event);
    assert.deepEqual(events, ['pusher:connection_established', 'pusher:pong', 'pusher:pong']);
  });

  it('case 37: subscribe, unsubscribe, subscribe in one burst ends subscribed', async () => {
    const client = await server.connect();
    client.sendSubscribe('case-37');
    client.unsubscribe('case-37');
    client.sendSubscribe('case-37');
    // The success seen first may be that of the first subscribe: ask until the second one holds.
    await eventually(async () => {
      await server.publish('case-37', 'probe', '1');
      await client.ping();
      return client.all('probe').length > 0;
    }, 'an event after the burst');
    await server.publish('case-37', 'one', '1');
    await client.barrier('case-37');
    assert.equal(client.all('one').length, 1);
  });

  it('case 37: subscribe, unsubscribe in one burst ends unsubscribed', async () => {
    const client = await server.connect();
    const witness = await server.connect();
    await witness.subscribe('case-37b');
    client.sendSubscribe('case-37b');
    client.unsubscribe('case-37b');
    await client.ping();
    await server.publish('case-37b', 'hidden', '1');
    await witness.waitFor('hidden');
    await client.subscribe('case-37b');
    await client.barrier('case-37b');
    assert.deepEqual(client.all('hidden'), []);
  });

  it('case 31: more channels than subscriptions_max are refused', async () => {
    assertRow('too_many_subscriptions', { pusherCode: 4100, closeCode: 0 });
    const client = await server.connect();
    for (let i = 0; i < 40; ++i) await client.subscribe(`many-${i}`);
    client.sendSubscribe('many-40');
    await expectSubscriptionError(client, 'many-40', 'too_many_subscriptions');
    client.unsubscribe('many-0');
    await client.subscribe('many-40b');
  });
});

describe('subscribe, strict_channel_names', () => {
  let server;
  before(async () => {
    server = await startServer({ server: { strict_channel_names: true } });
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  for (const name of ['with space', '#x', 'a/b', 'a:b', 'é', '']) {
    it(`case 32: the name "${name}" is refused`, async () => {
      const client = await server.connect();
      client.sendSubscribe(name);
      const ids = name === '' ? ['channel_name_invalid', 'message_malformed'] : ['channel_name_invalid'];
      const frame = await client.waitFor(
        (f) => f.event === 'pusher:error' || f.event === 'pusher:subscription_error',
      );
      assert.ok(ids.includes(frame.data.reason), frame.data.reason);
      assertRow(frame.data.reason, { closeCode: 0 });
      if (name !== '') await expectSubscriptionError(client, name, 'channel_name_invalid');
      await client.subscribe('case-32');
    });
  }

  it('case 33: every character of the rule is taken', async () => {
    const client = await server.connect();
    const frame = await client.subscribe('-azAZ09_=@,.;');
    assert.equal(frame.channel, '-azAZ09_=@,.;');
  });
});
