// The recovery of the stock client over a restart of the server: with durable rooms and `socketio.recovery_ms` the
// unchanged socket.io-client is recovered after kill -9 as after a broken connection.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';

import { eventually, startServer } from './harness.mjs';
import { request } from './http_client.mjs';
import { closeSioClients, kWays, sioCall, sioConnected, sioOnce, sioSignin, sioSubscribe } from './sio_clients.mjs';
import { sleep } from './sio_engine.mjs';
import { kReference } from './sio_target.mjs';
import { kJwtSecret, token } from './tokens.mjs';

const kHistory = ['jobs.* size=100000 age=1h bytes=64MiB durable', 'private-jobs.* durable', 'presence-jobs.* durable',
  'tiny size=3 age=1h durable'];

/** Numbers that look random and are the same each time. */
function* numbers(seed) {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

describe('socketio_restart', { skip: kReference }, () => {
  let folder;
  let server;
  before(() => { folder = mkdtempSync(path.join(tmpdir(), 'kilat-sio-restart-')); });
  after(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(async () => {
    closeSioClients();
    await server?.stop();
    server = undefined;
  });

  const file = (name) => path.join(folder, name);

  async function start(name, { port = 0, shards = 1, app = {}, socketio = {} } = {}) {
    server = await startServer({
      apps: [{ history: kHistory, ...app }],
      history: { file: file(name) },
      socketio: { recovery_ms: 60_000, ...socketio },
      server: { shards },
      port: port || undefined,
    });
    server.path = '/socket.io/';
    return server;
  }

  /** Ends the server and starts it anew at the same address. */
  async function restart(name, { graceful = false, ...options } = {}) {
    const { port } = server;
    await (graceful ? server.stop() : server.kill9());
    return start(name, { port, ...options });
  }

  /** When this is done, the histories of these rooms have begun on disk. */
  async function begin(...rooms) {
    for (const room of rooms) await server.publish(room, 'begin', '');
  }

  /** Resolves when the client is connected again; says whether it was recovered. */
  async function back(socket) {
    if (!socket.connected) await sioOnce(socket, 'connect');
    return socket.recovered;
  }

  const dataOf = (socket, event) => socket.seen.filter(([name]) => name === event).map(([, data]) => data);

  /** Everything that comes to the socket until an event of this name, which is published now, and the room it is for. */
  async function settle(socket, room, name = 'end') {
    await server.publish(room, name, '1');
    await eventually(() => socket.seen.some((event) => event[0] === name), `${name} in ${room}`);
  }

  for (const graceful of [false, true]) {
    for (const shards of [1, 3]) {
      it(`is recovered with all it missed, ${graceful ? 'stop' : 'kill -9'}, shards: ${shards}`, async () => {
        const name = `basic-${graceful}-${shards}.db`;
        const rooms = Array.from({ length: 6 }, (_, i) => `jobs.${i}`);
        await start(name, { shards });
        const socket = await sioConnected(server, { transports: ['websocket'] });
        for (const room of rooms) await sioSubscribe(socket, room);
        await sioSubscribe(socket, 'loose');
        for (const room of rooms) await server.publish(room, room, 'before');
        await eventually(() => socket.seen.length === rooms.length, 'what comes live');
        const { id } = socket;
        socket.io.reconnection(false); // so that something can happen while it is away
        await restart(name, { shards, graceful });
        for (const text of ['a', 'b', 'c']) for (const room of rooms) await server.publish(room, room, text);
        socket.io.reconnection(true);
        socket.connect();
        assert.equal(await back(socket), true);
        assert.notEqual(socket.id, id);
        for (const room of rooms) await settle(socket, room, `end ${room}`);
        for (const room of rooms) assert.deepEqual(dataOf(socket, room), ['before', 'a', 'b', 'c'], room);
        await settle(socket, 'loose', 'loose');
        assert.equal(statSync(`${file(name)}-sockets`).mode & 0o777, 0o600);
      });
    }
  }

  it('a client that has seen nothing gets all since it joined', async () => {
    await start('nothing.db');
    await server.publish('jobs.x', 'e', 'too early');
    const socket = await sioConnected(server, { transports: ['websocket'] });
    await sioSubscribe(socket, 'jobs.x');
    socket.io.reconnection(false);
    await restart('nothing.db');
    await server.publish('jobs.x', 'e', 'missed');
    socket.io.reconnection(true);
    socket.connect();
    assert.equal(await back(socket), true);
    await settle(socket, 'jobs.x');
    assert.deepEqual(dataOf(socket, 'e'), ['missed']);
  });

  it('what was left stays left; a presence room and its members are there again', async () => {
    await start('rooms.db', { shards: 2 });
    await begin('jobs.in', 'jobs.out', 'presence-jobs.p');
    const socket = await sioConnected(server, { transports: ['websocket'] });
    await sioSubscribe(socket, 'jobs.in');
    await sioSubscribe(socket, 'jobs.out');
    await sioSubscribe(socket, 'presence-jobs.p', { user_id: 'u', user_info: { n: 1 } });
    await sioCall(socket, 'unsubscribe', 'jobs.out');
    await restart('rooms.db', { shards: 2 });
    assert.equal(await back(socket), true);
    await server.publish('jobs.out', 'left', '1');
    const other = await sioConnected(server, { transports: ['websocket'] });
    const answer = await sioSubscribe(other, 'presence-jobs.p', { user_id: 'w' });
    assert.deepEqual(answer.members[0], { user_id: 'u', user_info: { n: 1 } });
    assert.equal(answer.members.length, 2);
    await settle(socket, 'jobs.in');
    assert.deepEqual(dataOf(socket, 'left'), []);
  });

  it('without a durable room a restart is a new beginning', async () => {
    await start('loose.db');
    const socket = await sioConnected(server, { transports: ['websocket'] });
    await sioSubscribe(socket, 'loose');
    await restart('loose.db');
    assert.equal(await back(socket), false);
  });

  it('a client that meant to leave is not remembered', async () => {
    await start('left.db');
    const socket = await sioConnected(server, { transports: ['websocket'] });
    await sioSubscribe(socket, 'jobs.a');
    socket.disconnect();
    await eventually(async () => (await server.request('GET', '/socketio/count')).json.connected === 0, 'its end');
    // When this one is answered, what was written before it is on disk.
    await sioSubscribe(await sioConnected(server, { transports: ['websocket'], reconnection: false }), 'jobs.a');
    await restart('left.db');
    socket.connect();
    assert.equal(await back(socket), false);
  });

  it('an event that is not kept any more is a new beginning, which works', async () => {
    await start('old.db');
    const socket = await sioConnected(server, { transports: ['websocket'] });
    await sioSubscribe(socket, 'tiny');
    await settle(socket, 'tiny');
    socket.io.reconnection(false);
    await restart('old.db');
    for (let i = 0; i < 5; i++) await server.publish('tiny', 'e', `e${i}`);
    socket.io.reconnection(true);
    socket.connect();
    assert.equal(await back(socket), false);
    await sioSubscribe(socket, 'tiny');
    await settle(socket, 'tiny', 'again');
    assert.deepEqual(dataOf(socket, 'e'), []);
  });

  it('what has left the history, but was seen, is not missed', async () => {
    await start('seen.db');
    const socket = await sioConnected(server, { transports: ['websocket'] });
    await sioSubscribe(socket, 'tiny');
    for (let i = 0; i < 9; i++) await server.publish('tiny', 'e', `e${i}`);
    await settle(socket, 'tiny', 'first');
    await restart('seen.db');
    assert.equal(await back(socket), true);
    await settle(socket, 'tiny', 'second');
    assert.deepEqual(dataOf(socket, 'e'), Array.from({ length: 9 }, (_, i) => `e${i}`));
  });

  it('a user with a token comes back with it, and nobody else does', async () => {
    const app = { jwt_secret: kJwtSecret };
    await start('token.db', { app });
    const auth = (user) => ({ auth: { token: token({ sub: user }) } });
    const [ann, bob] = await Promise.all(['ann', 'bob'].map((user) =>
      sioConnected(server, { transports: ['websocket'], ...auth(user) })));
    for (const socket of [ann, bob]) await sioSubscribe(socket, 'jobs.t');
    await settle(ann, 'jobs.t', 'first');
    await settle(bob, 'jobs.t', 'second');
    bob.auth = auth('carl').auth;
    await restart('token.db', { app });
    assert.equal(await back(ann), true);
    assert.equal(await back(bob), false);
    await sioSubscribe(bob, 'jobs.t');
    for (const socket of [ann, bob]) await settle(socket, 'jobs.t', `third ${socket.id}`);
    const online = async (user) => (await server.request('GET', `/socketio/users/${user}`)).json.online;
    assert.deepEqual([await online('ann'), await online('bob'), await online('carl')], [true, false, true]);
  });

  it('rules are asked again for the rooms that they had let a user into', async () => {
    const app = { jwt_secret: kJwtSecret, rules: ['jobs.mine.{user} subscribe=user:{user}'] };
    await start('rules.db', { app });
    await begin('jobs.mine.ann');
    const socket = await sioConnected(server, { transports: ['websocket'], auth: { token: token({ sub: 'ann' }) } });
    await sioSubscribe(socket, 'jobs.mine.ann');
    await restart('rules.db', { app });
    assert.equal(await back(socket), true);
    await settle(socket, 'jobs.mine.ann');
    await restart('rules.db', { app: { ...app, rules: ['jobs.mine.{user} subscribe=role:staff'] } });
    assert.equal(await back(socket), false);
    await server.publish('jobs.mine.ann', 'secret', '1');
    assert.equal((await sioCall(socket, 'subscribe', 'jobs.mine.ann')).error, 'rule_refused');
    assert.deepEqual(dataOf(socket, 'secret'), []);
  });

  it('a user who has signed in by a signature is signed in again', async () => {
    await start('signed.db', { shards: 2 });
    await begin('private-jobs.s');
    const socket = await sioConnected(server, { transports: ['websocket'] });
    await sioSubscribe(socket, 'private-jobs.s');
    await sioSignin(socket, { id: 'u' });
    await restart('signed.db', { shards: 2 });
    assert.equal(await back(socket), true);
    assert.equal((await server.request('GET', '/socketio/users/u')).json.online, true);
    await settle(socket, 'private-jobs.s');
  });

  for (const way of ['polling', 'upgrade']) {
    it(`comes back by ${way}`, async () => {
      const name = `${way}.db`;
      await start(name, { shards: 3 });
      const socket = await sioConnected(server, { transports: kWays[way] });
      await sioSubscribe(socket, 'jobs.p');
      for (let i = 0; i < 4; i++) {
        await server.publish('jobs.p', 'e', `${i} live`);
        await eventually(() => dataOf(socket, 'e').at(-1) === `${i} live`, 'what is live');
        await restart(name, { shards: 3 });
        await server.publish('jobs.p', 'e', `${i} missed`);
        assert.equal(await back(socket), true);
      }
      await settle(socket, 'jobs.p');
      assert.deepEqual(dataOf(socket, 'e'), [0, 1, 2, 3].flatMap((i) => [`${i} live`, `${i} missed`]));
    });
  }

  it('positions of rooms that asked for them go on', async () => {
    await start('positions.db');
    const socket = await sioConnected(server, { transports: ['websocket'] });
    const offsets = [];
    socket.on('e', (data, position) => offsets.push(position.offset));
    await server.publish('jobs.q', 'e', 'past');
    const answer = await sioCall(socket, 'subscribe', { channel: 'jobs.q', rewind: { count: 10 } });
    assert.equal(answer.ok, true);
    await eventually(() => offsets.length === 1, 'the past');
    await restart('positions.db');
    await server.publish('jobs.q', 'e', 'missed');
    assert.equal(await back(socket), true);
    await server.publish('jobs.q', 'e', 'live');
    await eventually(() => offsets.length === 3, 'all');
    assert.deepEqual(offsets, [1, 2, 3]);
  });

  for (const shards of [1, 4]) {
    it(`kill -9 under load, many times: each event once and in order, shards: ${shards}`, { timeout: 600_000 }, async () => {
      const rounds = process.env.KILAT_LONG === '1' ? 40 : 7;
      const clients = process.env.KILAT_LONG === '1' ? 60 : 20;
      const name = `load-${shards}.db`;
      const chance = numbers(20261122 + shards);
      const rooms = Array.from({ length: 7 }, (_, i) => `jobs.${i}`);
      const acknowledged = new Map(rooms.map((room) => [room, []]));
      await start(name, { shards });
      const sockets = await Promise.all(Array.from({ length: clients }, async (_, i) => {
        const transports = i % 4 === 0 ? ['polling'] : ['websocket'];
        const socket = await sioConnected(server, { transports });
        socket.mine = rooms.filter((room, at) => at === i % rooms.length || chance.next().value < 0.5);
        for (const room of socket.mine) await sioSubscribe(socket, room);
        socket.recoveries = [];
        socket.on('connect', () => socket.recoveries.push(socket.recovered));
        return socket;
      }));
      let over = false;
      let number = 0;
      // They go on while there is no server: what is refused was not taken.
      const publishers = rooms.map(async (room) => {
        while (!over) {
          const data = `e${++number}`;
          const answer = await request(server, 'POST', '/events', { body: { name: room, channel: room, data } }).catch(() => null);
          if (answer?.status === 200) acknowledged.get(room).push(data);
          else await sleep(5);
        }
      });
      for (let round = 0; round < rounds; round++) {
        await sleep(100 + chance.next().value * 900);
        await restart(name, { shards });
        // Sometimes the next one comes while they are just coming back.
        if (chance.next().value < 0.7) await Promise.all(sockets.map(back));
      }
      await Promise.all(sockets.map(back));
      over = true;
      await Promise.all(publishers);
      for (const room of rooms) await server.publish(room, room, 'end');
      for (const socket of sockets) {
        assert.ok(socket.recoveries.length > 0 && socket.recoveries.every(Boolean), JSON.stringify(socket.recoveries));
        for (const room of socket.mine) {
          await eventually(() => dataOf(socket, room).at(-1) === 'end', `the end of ${room}`);
          const seen = dataOf(socket, room).slice(0, -1);
          assert.equal(new Set(seen).size, seen.length, `${room}: nothing twice`);
          const have = new Set(seen);
          assert.deepEqual(acknowledged.get(room).filter((data) => !have.has(data)), [], `${room}: nothing is missing`);
          const order = seen.map((data) => Number(data.slice(1)));
          assert.deepEqual(order, [...order].sort((a, b) => a - b), `${room}: in order`);
        }
      }
      assert.ok(rooms.every((room) => acknowledged.get(room).length > rounds));
    });
  }
});
