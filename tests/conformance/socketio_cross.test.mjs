// Between the protocols: one publish reaches Pusher and Socket.IO clients alike, whoever published; rooms, presence, users
// and exclusion are shared.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectHttpError } from './asserts.mjs';
import { eventually } from './harness.mjs';
import { connected, disconnectAll, pusherJs, subscribed } from './sdk_clients.mjs';
import {
  closeSioClients, kWays, sioCall, sioConnected, sioEvent, sioNotSeen, sioOnce, sioSignin, sioSubscribe,
} from './sio_clients.mjs';
import { kOurs, startTarget } from './sio_target.mjs';

const kReserved = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];
const kPlain = Object.freeze({ id: 'plain', key: 'plain-key', secret: 'plain-secret' });

/** The data of a Pusher frame as pusher-js hands it on: a text is parsed when it is JSON. */
function dataOf(frame) {
  try {
    return typeof frame.data === 'string' ? JSON.parse(frame.data) : frame.data;
  } catch {
    return frame.data;
  }
}

describe('socketio_cross', kOurs, () => {
  let target;
  let server;
  before(async () => {
    target = await startTarget({ apps: [{ client_events_per_second: 0 }, kPlain] });
    server = target.server;
  });
  after(() => target?.stop());
  afterEach(() => {
    closeSioClients();
    disconnectAll();
    server?.closeClients();
  });

  for (const [way, transports] of Object.entries(kWays)) {
    it(`500 events of the HTTP API reach pusher-js and socket.io in order (${way})`, async () => {
      const channel = `many-${way}`;
      const socket = await sioConnected(target, { transports });
      await sioSubscribe(socket, channel);
      const pusher = await connected(pusherJs(server));
      const [readers] = await subscribed(pusher, channel);
      const read = [];
      readers.bind('n', (data) => read.push(data));
      const count = 500;
      for (let i = 0; i < count; i += 10) {
        const batch = Array.from({ length: 10 }, (_, j) => ({ channel, name: 'n', data: JSON.stringify({ i: i + j }) }));
        const response = await server.request('POST', '/batch_events', { body: { batch }, agent: target.ordered });
        assert.equal(response.status, 200, response.text);
      }
      const expected = Array.from({ length: count }, (_, i) => ({ i }));
      await sioEvent(socket, 'n', { test: ({ i }) => i === count - 1 });
      await eventually(() => read.length === count, 'all events at pusher-js');
      assert.deepEqual(socket.seen.map(([, data]) => data), expected);
      assert.deepEqual(read, expected);
    });
  }

  it('the text of a Pusher event is parsed when it is JSON, and a text otherwise', async () => {
    const socket = await sioConnected(target);
    await sioSubscribe(socket, 'texts');
    const rows = [
      ['{"a":[1,{"b":null}]}', { a: [1, { b: null }] }],
      ['5', 5],
      ['null', null],
      ['"quoted"', 'quoted'],
      ['plain text', 'plain text'],
      ['{broken', '{broken'],
      ['', ''],
      ['[1] [2]', '[1] [2]'],
      ['ü \u0000 \u001e 😀', 'ü \u0000 \u001e 😀'],
    ];
    for (const [i, [data, expected]] of rows.entries()) {
      await server.publish('texts', `t${i}`, data);
      assert.deepEqual(await sioEvent(socket, `t${i}`), [expected], data);
    }
  });

  it('events of the emit API reach Pusher clients as JSON text', async () => {
    const client = await server.connect();
    const socket = await sioConnected(target);
    await client.subscribe('emitted');
    await sioSubscribe(socket, 'emitted');
    const rows = [
      [[{ a: 1 }], '{"a":1}'],
      [['text'], '"text"'],
      [[], '[]'],
      [[1, 'zwei', null], '[1,"zwei",null]'],
      [[{ b: { $binary: 'AQID' } }], '{"b":{"$binary":"AQID"}}'],
      [[{ $binary: 'AQID' }, 2], '[{"$binary":"AQID"},2]'],
    ];
    for (const [i, [args, text]] of rows.entries()) {
      await target.emit({ event: `e${i}`, args, rooms: ['emitted'] });
      const frame = await client.waitFor(`e${i}`);
      assert.equal(frame.channel, 'emitted');
      assert.deepEqual(JSON.parse(frame.data), JSON.parse(text));
      assert.equal((await sioEvent(socket, `e${i}`)).length, args.length);
    }
  });

  it('what a Socket.IO client publishes reaches Pusher clients, and the other way round', async () => {
    const channel = 'private-talk';
    const [client, socket, other] = await Promise.all([server.connect(), sioConnected(target), sioConnected(target)]);
    await client.subscribe(channel);
    for (const reader of [socket, other]) await sioSubscribe(reader, channel);
    for (const [i, data] of [{ a: [1] }, 'text', 5, null].entries()) {
      const answer = await sioCall(socket, 'publish', { channel, event: `client-${i}`, data });
      assert.equal(answer.ok, true, JSON.stringify(answer));
      const frame = await client.waitFor(`client-${i}`);
      assert.equal(frame.channel, channel);
      assert.deepEqual(dataOf(frame), data);
      assert.deepEqual(await sioEvent(other, `client-${i}`), [data]);
    }
    client.trigger('client-back', channel, { from: 'pusher' });
    for (const reader of [socket, other]) assert.deepEqual(await sioEvent(reader, 'client-back'), [{ from: 'pusher' }]);
    await client.barrier(channel);
    assert.deepEqual(client.all('client-back'), []);
    await sioNotSeen(socket, 'client-0');
  });

  it('an event names the user of the presence channel that published it to Pusher clients', async () => {
    const channel = 'presence-names';
    const [client, socket] = await Promise.all([server.connect(), sioConnected(target)]);
    await client.join(channel, 'pusher-user');
    await sioSubscribe(socket, channel, { user_id: 'sio-user' });
    await sioCall(socket, 'publish', { channel, event: 'client-x', data: 1 });
    assert.equal((await client.waitFor('client-x')).user_id, 'sio-user');
  });

  it('exclusion takes the id of either kind of client', async () => {
    const [client, pusher_other, socket, other] = await Promise.all([
      server.connect(), server.connect(), sioConnected(target), sioConnected(target),
    ]);
    for (const reader of [client, pusher_other]) await reader.subscribe('except');
    for (const reader of [socket, other]) await sioSubscribe(reader, 'except');
    await server.publish('except', 'without-socket', '1', { socket_id: socket.id });
    await server.publish('except', 'without-client', '1', { socket_id: client.socket_id });
    await target.emit({ event: 'emit-without-socket', args: [1], rooms: ['except'], except: [socket.id] });
    await target.emit({ event: 'emit-without-client', args: [1], rooms: ['except'], except: [client.socket_id] });
    for (const name of ['without-socket', 'without-client', 'emit-without-socket', 'emit-without-client']) {
      await Promise.all([pusher_other.waitFor(name), sioEvent(other, name)]);
    }
    for (const name of ['without-client', 'emit-without-client']) await sioEvent(socket, name);
    for (const name of ['without-socket', 'emit-without-socket']) await client.waitFor(name);
    await client.barrier('except');
    for (const name of ['without-socket', 'emit-without-socket']) await sioNotSeen(socket, name);
    for (const name of ['without-client', 'emit-without-client']) assert.deepEqual(client.all(name), []);
  });

  it('an id that is of neither kind is refused', async () => {
    for (const socket_id of ['nonsense', '1.2.3', 'abc!efghijklmnopqrst']) {
      const body = { name: 'e', channels: ['x'], data: '1', socket_id };
      const response = await server.request('POST', '/events', { body });
      await expectHttpError(server, response, 'api_socket_id_invalid', { httpStatus: 400 });
    }
  });

  it('members of both kinds see each other come and go', async () => {
    const channel = 'presence-both';
    const [client, socket] = await Promise.all([server.connect(), sioConnected(target)]);
    await client.join(channel, 'p', { name: 'Pusher' });
    const answer = await sioSubscribe(socket, channel, { user_id: 's', user_info: { name: 'Socket' } });
    assert.equal(answer.me, 's');
    answer.members.sort((a, b) => (a.user_id < b.user_id ? -1 : 1));
    assert.deepEqual(answer.members, [
      { user_id: 'p', user_info: { name: 'Pusher' } },
      { user_id: 's', user_info: { name: 'Socket' } },
    ]);
    const added = await client.waitFor('pusher_internal:member_added');
    assert.deepEqual(JSON.parse(added.data), { user_id: 's', user_info: { name: 'Socket' } });

    const second = await server.connect();
    const joined = await second.join(channel, 'p2');
    assert.deepEqual(JSON.parse(joined.data).presence.ids.sort(), ['p', 'p2', 's']);
    const [member] = await sioEvent(socket, 'member_added');
    assert.deepEqual([member.channel, member.user_id], [channel, 'p2']);
    second.terminate();
    assert.deepEqual(await sioEvent(socket, 'member_removed'), [{ channel, user_id: 'p2' }]);

    const users = await server.request('GET', `/channels/${channel}/users`);
    assert.deepEqual(users.json.users.map(({ id }) => id).sort(), ['p', 's']);
    socket.disconnect();
    const removed = client.waitFor((f) => f.event === 'pusher_internal:member_removed' && f.data.includes('"s"'));
    assert.equal((await removed).channel, channel);
  });

  it('one user with a client of each kind joins once and leaves once', async () => {
    const channel = 'presence-one';
    const [watcher, client, socket] = await Promise.all([server.connect(), server.connect(), sioConnected(target)]);
    await watcher.join(channel, 'w');
    await client.join(channel, 'same');
    await sioSubscribe(socket, channel, { user_id: 'same' });
    socket.disconnect();
    await watcher.barrier(channel);
    assert.deepEqual(watcher.all('pusher_internal:member_removed'), []);
    client.terminate();
    await watcher.waitFor('pusher_internal:member_removed');
    assert.equal(watcher.all('pusher_internal:member_added').length, 1);
    assert.equal(watcher.all('pusher_internal:member_removed').length, 1);
  });

  it('channels count readers of both kinds', async () => {
    const [client, socket] = await Promise.all([server.connect(), sioConnected(target)]);
    await client.subscribe('counted');
    await sioSubscribe(socket, 'counted');
    const response = await server.request('GET', '/channels/counted', { query: { info: 'subscription_count' } });
    assert.deepEqual(response.json, { occupied: true, subscription_count: 2 });
  });

  it('names that would end Socket.IO clients are refused, from every side', async () => {
    for (const name of kReserved) {
      const one = await server.request('POST', '/events', { body: { name, channels: ['x'], data: '1' } });
      await expectHttpError(server, one, 'event_name_reserved', { httpStatus: 400 });
      const batch = [{ channel: 'x', name: 'fine', data: '1' }, { channel: 'x', name, data: '1' }];
      const many = await server.request('POST', '/batch_events', { body: { batch } });
      await expectHttpError(server, many, 'event_name_reserved', { httpStatus: 400 });
    }
    const elsewhere = await server.request('POST', '/events', {
      app: kPlain,
      body: { name: 'connect', channels: ['x'], data: '1' },
    });
    assert.equal(elsewhere.status, 200, 'an app without a namespace');
  });

  it('terminating a user ends its clients of both kinds', async () => {
    const [client, socket, other] = await Promise.all([server.connect(), sioConnected(target), sioConnected(target)]);
    await client.signin({ id: 'kicked' });
    await sioSignin(socket, { id: 'kicked' });
    await sioSignin(other, { id: 'spared' });
    const gone = sioOnce(socket, 'disconnect');
    const response = await server.api().terminateUserConnections('kicked');
    assert.equal(response.status, 200);
    assert.equal((await gone)[0], 'io server disconnect');
    assert.equal((await client.waitClose()).code, 4009);
    assert.deepEqual(await sioCall(other, 'unsubscribe', 'x'), { ok: true });
    assert.deepEqual(await target.get('users/kicked'), { online: false, sockets: 0 });
  });

  it('who has heard that it is signed in is reached by what comes next', async () => {
    for (let round = 0; round < 100; ++round) {
      const socket = await sioConnected(target, { transports: ['websocket'] });
      const gone = sioOnce(socket, 'disconnect', `end of user ${round}`);
      await sioSignin(socket, { id: `quick-${round}` });
      const path = `/users/quick-${round}/terminate_connections`;
      assert.equal((await server.request('POST', path, { body: '{}' })).status, 200);
      assert.equal((await gone)[0], 'io server disconnect');
    }
  });

  it('an emit to several rooms reaches each socket once, of both kinds', async () => {
    const sockets = await Promise.all([sioConnected(target), sioConnected(target, { transports: ['polling'] })]);
    for (const socket of sockets) for (const room of ['wide-1', 'wide-2', 'wide-3']) await sioSubscribe(socket, room);
    const client = await server.connect();
    await client.subscribe('wide-2');
    for (let i = 0; i < 20; ++i) await target.emit({ event: 'wide', args: [i], rooms: ['wide-1', 'wide-2', 'wide-3'] });
    for (const socket of sockets) {
      await sioEvent(socket, 'wide', { test: (i) => i === 19 });
      assert.deepEqual(socket.seen.map(([, i]) => i), Array.from({ length: 20 }, (_, i) => i));
    }
    await client.waitFor((f) => f.event === 'wide' && f.data === '19');
    assert.equal(client.all('wide').length, 20);
  });

  it('publishers of every kind share one order of a channel', async () => {
    const channel = 'private-order';
    const readers = await Promise.all([sioConnected(target), sioConnected(target, { transports: ['polling'] })]);
    const client = await server.connect();
    await client.subscribe(channel);
    for (const reader of readers) await sioSubscribe(reader, channel);
    const publisher = await sioConnected(target);
    await sioSubscribe(publisher, channel);
    const count = 40;
    await Promise.all([
      (async () => {
        for (let i = 0; i < count; ++i) await server.publish(channel, 'client-api', JSON.stringify(['api', i]));
      })(),
      (async () => {
        for (let i = 0; i < count; ++i) await target.emit({ event: 'client-api', args: [['emit', i]], rooms: [channel] });
      })(),
      (async () => {
        for (let i = 0; i < count; ++i) {
          const answer = await sioCall(publisher, 'publish', { channel, event: 'client-api', data: ['sio', i] });
          assert.equal(answer.ok, true, JSON.stringify(answer));
        }
      })(),
    ]);
    await server.publish(channel, 'end', '1');
    await client.waitFor('end');
    const order = client.all('client-api').map(dataOf);
    assert.equal(order.length, 3 * count);
    for (const reader of readers) {
      await sioEvent(reader, 'end');
      const seen = reader.seen.filter(([name]) => name === 'client-api').map(([, data]) => data);
      assert.deepEqual(seen, order);
    }
  });

  it('a cache channel remembers the event of either publisher for either reader', async () => {
    await target.emit({ event: 'state', args: [{ from: 'emit' }], rooms: ['cache-a'] });
    await server.publish('cache-b', 'state', '{"from":"api"}');
    const [client, socket] = await Promise.all([server.connect(), sioConnected(target)]);
    for (const channel of ['cache-a', 'cache-b']) {
      await client.subscribe(channel);
      await sioSubscribe(socket, channel);
    }
    for (const [channel, from] of [['cache-a', 'emit'], ['cache-b', 'api']]) {
      const frame = await client.waitFor((f) => f.event === 'state' && f.channel === channel);
      assert.deepEqual(JSON.parse(frame.data), { from });
      await sioEvent(socket, 'state', { test: (data) => data.from === from });
    }
  });
});
