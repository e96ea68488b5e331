// Events that a rule held are, for readers, what they were: whose they are, whom they are not for, and what they carry.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { closeSioClients, sioConnected, sioSubscribe } from './sio_clients.mjs';
import { startTarget } from './sio_target.mjs';
import { eventually } from './harness.mjs';

const kFlow = [
  'private-cache-live conflate=20ms on=*value',
  'private-cache-list batch=20ms on=*value',
  'room throttle=50ms on=client-*',
  'news conflate=20ms on=news',
  'wall throttle=50ms on=multi',
  'private-encrypted-box batch=20ms',
];

describe('events that a rule held', () => {
  let target;
  let server;
  before(async () => {
    target = await startTarget({ apps: [{ flow: kFlow }] });
    server = target.server;
  });
  after(async () => {
    closeSioClients();
    await target?.stop();
  });

  it('of a client do not become what a cache channel has', async () => {
    for (const [channel, wrap] of [['private-cache-live', (x) => x], ['private-cache-list', (x) => [x]]]) {
      const [sender, reader, late] = [await server.connect(), await server.connect(), await server.connect()];
      for (const client of [sender, reader]) await client.subscribe(channel);
      await server.publish(channel, 'value', '{"official":1}');
      await reader.waitFor((frame) => frame.event === 'value');
      sender.trigger('client-value', channel, { forged: 1 });
      await reader.waitFor((frame) => frame.event === 'client-value');
      await late.subscribe(channel);
      const cached = await late.waitFor((frame) => frame.channel === channel && !frame.event.startsWith('pusher'));
      assert.deepEqual([cached.event, JSON.parse(cached.data)], ['value', wrap({ official: 1 })]);
    }
  });

  it('say which user they are of, and do not come back to their sender', async () => {
    const [alice, carol] = [await server.connect(), await server.connect()];
    await alice.join('presence-room', 'alice');
    await carol.join('presence-room', 'carol');
    for (let i = 1; i <= 5; i++) alice.trigger('client-x', 'presence-room', { i });
    await carol.until(() => carol.all('client-x').at(-1)?.data.i === 5, 'the trailing one');
    assert.ok(carol.all('client-x').every(({ user_id }) => user_id === 'alice'));
    await alice.barrier('presence-room');
    assert.deepEqual(alice.all('client-x'), []);
  });

  it('keep the user for a client that has them folded for itself alone', async () => {
    const [alice, bob] = [await server.connect(), await server.connect()];
    await alice.join('presence-hall', 'alice');
    await bob.subscribe('presence-hall', { channel_data: JSON.stringify({ user_id: 'bob' }), flow: { conflate: 20 } });
    alice.trigger('client-x', 'presence-hall', { i: 1 });
    const frame = await bob.waitFor('client-x');
    assert.equal(frame.user_id, 'alice');
  });

  it('do not reach whom the backend has excluded', async () => {
    const [author, reader] = [await server.connect(), await server.connect()];
    for (const client of [author, reader]) await client.subscribe('news');
    await server.publish('news', 'news', '{"i":1}', { socket_id: author.socket_id });
    await reader.waitFor('news');
    await author.barrier('news');
    assert.deepEqual(author.all('news'), []);
    assert.equal(reader.all('news').length, 1);
  });

  it('carry their arguments and bytes to socket.io clients', async () => {
    const socket = await sioConnected(target, { transports: ['websocket'] });
    await sioSubscribe(socket, 'wall');
    for (let i = 1; i <= 5; i++) await target.emit({ event: 'multi', args: [i, 'two', { $binary: 'AQID' }], rooms: ['wall'] });
    const seen = () => socket.seen.filter(([event]) => event === 'multi');
    await eventually(() => seen().at(-1)?.[1] === 5, 'the trailing one');
    for (const [, , two, bytes] of seen()) {
      assert.equal(two, 'two');
      assert.deepEqual([...bytes], [1, 2, 3]);
    }
  });

  it('of encrypted channels are not put together', async () => {
    const client = await server.connect();
    await client.subscribe('private-encrypted-box', { shared_secret: '' });
    const sealed = { nonce: 'n', ciphertext: 'c' };
    for (let i = 0; i < 2; i++) await server.publish('private-encrypted-box', 'e', JSON.stringify(sealed));
    await client.until(() => client.all('e').length === 2, 'both');
    assert.ok(client.all('e').every(({ data }) => JSON.parse(data).ciphertext === 'c'));
  });
});
