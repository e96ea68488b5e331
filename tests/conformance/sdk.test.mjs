// Cases 118, 138-140 and, through the real pusher-js, those of the cases that a client can express.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { assertRow, eventually, startServer } from './harness.mjs';
import { connected, disconnectAll, encryptingApi, once, pusherJs, subscribed } from './sdk_clients.mjs';

describe('sdk, pusher-js', () => {
  let server;
  before(async () => {
    server = await startServer({ apps: [{ subscription_count: true }] });
  });
  after(async () => {
    disconnectAll();
    await server?.stop();
  });
  afterEach(disconnectAll);

  const ann = { user_id: '1', user_info: { name: 'Ann' } };
  const bob = { user_id: '2', user_info: { name: 'Bob' } };

  it('case 1: pusher-js connects', async () => {
    const client = await connected(pusherJs(server));
    assert.match(client.connection.socket_id, /^\d+\.\d+$/);
    assert.deepEqual(client.states.slice(-1), ['connected']);
  });

  it('case 3: pusher-js with an unknown key gets 4001 and does not come back', async () => {
    assertRow('app_unknown', { closeCode: 4001, pusherCode: 4001 });
    const since = server.logs.length;
    const client = pusherJs(server, { key: 'nope' });
    const error = await once(client.connection, 'error');
    assert.equal((error.data ?? error.error?.data)?.code, 4001);
    await eventually(() => client.connection.state === 'disconnected', 'state disconnected');
    const isClose = (line) => line.event === 'connection_closed' && line.reason === 'app_unknown';
    await server.waitForLog(isClose, 'the close', { since });
  });

  it('case 27: pusher-js subscribes to a public channel and gets an event of the npm client', async () => {
    const client = pusherJs(server);
    const [channel] = await subscribed(client, 'sdk-27');
    const event = once(channel, 'order.new');
    await server.api().trigger('sdk-27', 'order.new', { id: 5, text: 'é😀</script>' });
    assert.deepEqual(await event, { id: 5, text: 'é😀</script>' });
  });

  it('case 37: pusher-js that unsubscribes and subscribes at once ends subscribed', async () => {
    const client = await connected(pusherJs(server));
    client.subscribe('sdk-37');
    client.unsubscribe('sdk-37');
    const [channel] = await subscribed(client, 'sdk-37');
    const event = once(channel, 'e');
    await server.api().trigger('sdk-37', 'e', {});
    await event;
  });

  it('case 38: pusher-js joins a private channel', async () => {
    const [channel] = await subscribed(pusherJs(server), 'private-sdk-38');
    const event = once(channel, 'e');
    await server.api().trigger('private-sdk-38', 'e', 'text');
    assert.equal(await event, 'text');
  });

  it('case 41: pusher-js decrypts what the npm client has encrypted', async () => {
    const [channel] = await subscribed(pusherJs(server), 'private-encrypted-sdk-41');
    const event = once(channel, 'e');
    await encryptingApi(server).trigger('private-encrypted-sdk-41', 'e', { secret: 'é' });
    assert.deepEqual(await event, { secret: 'é' });
  });

  it('cases 43, 44, 48: pusher-js members see each other come and go', async () => {
    const [a, b] = [pusherJs(server, { member: ann }), pusherJs(server, { member: bob })];
    const [room, members] = await subscribed(a, 'presence-sdk-43');
    assert.equal(members.count, 1);
    assert.deepEqual(members.me, { id: '1', info: { name: 'Ann' } });
    const added = once(room, 'pusher:member_added');
    const [other, list] = await subscribed(b, 'presence-sdk-43');
    assert.equal(list.count, 2);
    assert.deepEqual(list.get('1'), { id: '1', info: { name: 'Ann' } });
    assert.deepEqual(await added, { id: '2', info: { name: 'Bob' } });
    const removed = once(room, 'pusher:member_removed');
    other.unsubscribe();
    assert.deepEqual(await removed, { id: '2', info: { name: 'Bob' } });
    assert.equal(room.members.count, 1);
  });

  it('cases 57, 58: pusher-js client events carry data and the sender', async () => {
    const [a, b] = [pusherJs(server, { member: ann }), pusherJs(server, { member: bob })];
    const [from] = await subscribed(a, 'presence-sdk-57');
    const [to] = await subscribed(b, 'presence-sdk-57');
    const event = new Promise((resolve) => to.bind('client-x', (data, metadata) => resolve({ data, metadata })));
    assert.equal(from.trigger('client-x', { a: [1] }), true);
    const { data, metadata } = await event;
    assert.deepEqual(data, { a: [1] });
    assert.equal(metadata.user_id, '1');
  });

  it('cases 67, 68: pusher-js gets cache_miss, then the cached event', async () => {
    const first = pusherJs(server);
    const miss = once(first.subscribe('cache-sdk-67'), 'pusher:cache_miss');
    await miss;
    await server.api().trigger('cache-sdk-67', 'e', { kept: 1 });
    const event = once(pusherJs(server).subscribe('cache-sdk-67'), 'e');
    assert.deepEqual(await event, { kept: 1 });
  });

  it('cases 73, 75, 77: pusher-js signs in and gets events of its user', async () => {
    const clients = [pusherJs(server, { user: { id: 'u73' } }), pusherJs(server, { user: { id: 'u73' } })];
    const events = clients.map((client) => once(client.user, 'hello'));
    for (const client of clients) {
      client.signin();
      await client.user.signinDonePromise;
      assert.equal(client.user.user_data.id, 'u73');
      const channel = client.user.serverToUserChannel;
      await eventually(() => channel.subscribed, 'the user channel');
    }
    await server.api().sendToUser('u73', 'hello', { x: 1 });
    for (const event of events) assert.deepEqual(await event, { x: 1 });
  });

  it('case 80: a terminated pusher-js client stays disconnected', async () => {
    assertRow('terminated_by_api', { closeCode: 4009, pusherCode: 4009 });
    const client = pusherJs(server, { user: { id: 'u80' } });
    client.signin();
    await eventually(() => client.user.user_data, 'sign-in');
    const { socket_id } = client.connection;
    const response = await server.api().terminateUserConnections('u80');
    assert.equal(response.status, 200);
    await eventually(() => client.connection.state === 'disconnected', 'state disconnected');
    await server.closeLog(socket_id, 'terminated_by_api');
  });

  it('cases 81, 82: pusher-js hears its watchlist', async () => {
    const watched = pusherJs(server, { user: { id: 'b81' } });
    watched.signin();
    await eventually(() => watched.user.user_data, 'sign-in');
    const watcher = pusherJs(server, { user: { id: 'a81', watchlist: ['b81', 'c81'] } });
    const [online, offline] = [once(watcher.user.watchlist, 'online'), once(watcher.user.watchlist, 'offline')];
    watcher.signin();
    assert.deepEqual((await online).user_ids, ['b81']);
    assert.deepEqual((await offline).user_ids, ['c81']);
    const gone = once(watcher.user.watchlist, 'offline');
    watched.disconnect();
    assert.deepEqual((await gone).user_ids, ['b81']);
  });

  it('case 84: pusher-js keeps subscriptionCount', async () => {
    const [channel] = await subscribed(pusherJs(server), 'sdk-84');
    await eventually(() => channel.subscription_count === 1 || channel.subscriptionCount === 1, 'a count of 1');
    const count = once(channel, 'pusher:subscription_count');
    await subscribed(pusherJs(server), 'sdk-84');
    assert.deepEqual(await count, { subscription_count: 2 });
  });
});

describe('sdk, npm pusher', () => {
  let server;
  before(async () => {
    server = await startServer();
  });
  after(() => server?.stop());

  it('case 118: the node SDK publishes, queries and terminates without an exception', async () => {
    const api = encryptingApi(server);
    const [member, user] = [await server.connect(), await server.connect()];
    await member.join('presence-118', '1', {});
    await user.signin({ id: 'user-118' });
    const answers = [
      await api.trigger('case-118', 'e', { a: 1 }),
      await api.trigger(['case-118', 'presence-118'], 'e', 'text', { socket_id: member.socket_id }),
      await api.trigger('private-encrypted-118', 'e', { a: 1 }),
      await api.triggerBatch([{ channel: 'case-118', name: 'e', data: 'x' }]),
      await api.sendToUser('user-118', 'e', { a: 1 }),
      await api.get({ path: '/channels', params: {} }),
      await api.get({ path: '/channels/presence-118', params: { info: 'user_count' } }),
      await api.get({ path: '/channels/presence-118/users' }),
      await api.terminateUserConnections('user-118'),
    ];
    for (const answer of answers) {
      assert.equal(answer.status, 200);
      const json = await answer.json();
      assert.ok(typeof json === 'object' && json !== null && !Array.isArray(json));
    }
    assertRow('terminated_by_api', { closeCode: 4009, pusherCode: 4009 });
    await server.closeLog(user.socket_id, 'terminated_by_api');
  });

  it('case 118: the node SDK turns a refusal into a RequestError with the status', async () => {
    assertRow('api_key_invalid', { httpStatus: 401 });
    const api = server.api({ id: 'app-id', key: 'wrong', secret: 'wrong' });
    await assert.rejects(api.trigger('c', 'e', {}), (error) => {
      assert.equal(error.name, 'PusherRequestError');
      assert.equal(error.status, 401);
      assert.equal(JSON.parse(error.body).reason, 'api_key_invalid');
      return true;
    });
  });

  it('case 140: events published back to back keep their order on every socket', async () => {
    const kEvents = 10_000;
    const clients = await Promise.all(Array.from({ length: 4 }, () => server.connect()));
    for (const client of clients) await client.subscribe('case-140');
    const api = server.api();
    for (let i = 0; i < kEvents; i += 10) {
      const batch = Array.from({ length: 10 }, (_, k) => ({ channel: 'case-140', name: 'e', data: String(i + k) }));
      await api.triggerBatch(batch);
    }
    for (const client of clients) {
      await client.waitFor((f) => f.event === 'e' && f.data === String(kEvents - 1));
      const order = client.all('e').map((frame) => Number(frame.data));
      assert.equal(order.length, kEvents);
      assert.ok(order.every((value, i) => value === i), 'in order, none twice');
      client.terminate();
    }
  });

  it('case 140: two publishers at once give every socket the same order', async () => {
    const kEach = 500;
    const clients = await Promise.all(Array.from({ length: 4 }, () => server.connect()));
    for (const client of clients) await client.subscribe('case-140b');
    const publish = async (name) => {
      for (let i = 0; i < kEach; ++i) await server.publish('case-140b', name, String(i));
    };
    await Promise.all([publish('a'), publish('b')]);
    const orders = [];
    for (const client of clients) {
      await client.barrier('case-140b');
      orders.push(client.frames.filter((f) => f.event === 'a' || f.event === 'b').map((f) => `${f.event}${f.data}`));
      client.terminate();
    }
    for (const order of orders) assert.deepEqual(order, orders[0]);
    for (const name of ['a', 'b']) {
      const own = orders[0].filter((entry) => entry.startsWith(name)).map((entry) => Number(entry.slice(1)));
      assert.deepEqual(own, Array.from({ length: kEach }, (_, i) => i), `order of publisher ${name}`);
    }
  });
});

describe('sdk, restart', () => {
  after(disconnectAll);

  it('case 138: pusher-js reconnects to a restarted server and subscribes to all its channels again', async () => {
    let server = await startServer();
    const { port } = server;
    try {
      const member = { user_id: '1', user_info: {} };
      const client = pusherJs(server, { member });
      const names = ['sdk-138', 'private-sdk-138', 'presence-sdk-138'];
      for (const name of names) await subscribed(client, name);
      const first_socket = client.connection.socket_id;
      const from = client.states.length;
      const again = Promise.all(names.map((name) => once(client.channel(name), 'pusher:subscription_succeeded')));
      await server.kill9();
      server = await startServer({ port });
      assert.equal(server.port, port);
      await again;
      const states = client.states.slice(from);
      assert.equal(states[0], 'connecting');
      assert.equal(states.at(-1), 'connected');
      assert.notEqual(client.connection.socket_id, first_socket);
      for (const name of names) {
        const event = once(client.channel(name), 'e');
        await server.api().trigger(name, 'e', { again: 1 });
        assert.deepEqual(await event, { again: 1 });
      }
      disconnectAll();
      await server.stop();
    } catch (error) {
      await server.kill9();
      throw error;
    }
  });
});
