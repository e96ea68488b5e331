// Emits to several rooms, or to some without others, where rooms have histories or flow rules: each such room's channel
// keeps and folds the event, and a socket in several of them gets it once.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectHttpError } from './asserts.mjs';
import { eventually, startServer } from './harness.mjs';
import { closeSioClients, sioConnected, sioOnce, sioSubscribe } from './sio_clients.mjs';
import { kReference, startTarget } from './sio_target.mjs';

const kRooms = Object.freeze(['kept', 'kept2', 'slow', 'slow2', 'plain', 'quiet']);

describe('socketio_rooms', { skip: kReference }, () => {
  let target;
  let server;
  before(async () => {
    target = await startTarget({
      apps: [{
        client_events_on_public: true,
        history: ['kept size=50', 'kept2 size=50'],
        // Nothing that is held goes out within a test; `mark` shows that all before it has passed.
        flow: ['slow throttle=1h on=wide', 'slow2 throttle=1h on=wide', 'soon conflate=200ms on=wide'],
      }],
      socketio: { recovery_ms: 60_000 },
    });
    ({ server } = target);
  });
  after(() => target?.stop());
  afterEach(() => closeSioClients());

  let marks = 0;
  const member = async (...rooms) => {
    const socket = await sioConnected(target, { transports: ['websocket'] });
    for (const room of rooms) await sioSubscribe(socket, room);
    return socket;
  };
  const pusher = async (...channels) => {
    const client = await server.connect();
    for (const channel of channels) await client.subscribe(channel);
    return client;
  };
  const emit = (value, to) => target.emit({ event: 'wide', args: [value], ...to });
  const history = async (channel) => (await server.request('GET', `/channels/${channel}/history`)).json;
  const kept = async (channel, from) =>
    (await history(channel)).events.filter(({ offset }) => offset > from).map(({ data }) => JSON.parse(data));

  /** The values of `wide` that came to each, once a mark has come through every room and to each socket itself. */
  async function seen(...clients) {
    const data = ++marks;
    for (const room of [...kRooms, 'soon']) await target.emit({ event: `mark-${room}`, args: [data], rooms: [room] });
    const sockets = clients.filter(({ id }) => id !== undefined);
    await target.emit({ event: 'mark-self', args: [data], sockets: sockets.map(({ id }) => id) });
    return Promise.all(clients.map(async (client) => {
      if (client.id === undefined) {
        for (const channel of client.marked) await client.until(() => client.all(`mark-${channel}`).length > 0 && Number(client.all(`mark-${channel}`).at(-1).data) === data, 'mark');
        return client.all('wide').map((event) => `${event.channel}:${event.data}`);
      }
      const has = (name) => client.seen.some((event) => event[0] === name && event[1] === data);
      await eventually(() => ['self', ...client.marked].every((room) => has(`mark-${room}`)), 'marks');
      return client.seen.filter(([name]) => name === 'wide').map((event) => event[1]);
    }));
  }
  const inRooms = async (...rooms) => Object.assign(await member(...rooms), { marked: rooms });
  const onChannels = async (...channels) => Object.assign(await pusher(...channels), { marked: channels });

  it('a flow rule of one of the rooms folds the event for those in it, and for nobody else', async () => {
    const both = await inRooms('slow', 'plain');
    const plain = await inRooms('plain');
    const client = await onChannels('slow', 'plain');
    for (let i = 0; i < 5; ++i) await emit(i, { rooms: ['slow', 'plain'] });
    const [of_both, of_plain, of_client] = await seen(both, plain, client);
    assert.deepEqual(of_plain, [0, 1, 2, 3, 4]);
    assert.deepEqual(of_both, [0]);
    assert.deepEqual(of_client.filter((one) => one.startsWith('slow:')), ['slow:0']);
    assert.equal(of_client.filter((one) => one.startsWith('plain:')).length, 5);
  });

  it('a room that is named twice is one room', async () => {
    const [socket, reader] = [await inRooms('plain'), await onChannels('plain')];
    await emit(1, { rooms: ['plain', 'plain'] });
    await emit(2, { rooms: ['plain', 'quiet', 'plain'] });
    assert.deepEqual(await seen(socket, reader), [[1, 2], ['plain:1', 'plain:2']]);
  });

  it('what a client has folded for itself alone is folded, and stays in order, whichever rooms it comes from', async () => {
    const client = await server.connect();
    await client.subscribe('plain', { flow: { conflate: 300 } });
    for (let i = 0; i < 10; i++) await emit(i, { rooms: ['plain'] });
    for (let i = 10; i < 20; i++) await emit(i, { rooms: ['plain', 'quiet'] });
    await client.until(() => client.all('wide').some(({ data }) => Number(data) === 19), 'the last');
    const values = client.all('wide').map(({ data }) => Number(data));
    assert.ok(values.length < 20, `${values}`);
    assert.deepEqual(values, [...values].sort((a, b) => a - b));
  });

  it('an exception does not get round a flow rule, and holds for what the rule has held', async () => {
    const out = await inRooms('slow2', 'soon');
    const quiet = await inRooms('slow2', 'soon', 'quiet');
    const inside = await inRooms('slow2', 'soon');
    for (let i = 0; i < 3; ++i) await emit(i, { rooms: ['slow2'], except: [out.id, 'quiet'] });
    for (let i = 3; i < 6; ++i) await emit(i, { rooms: ['soon'], except: [out.id, 'quiet'] });
    await eventually(() => inside.seen.some((event) => event[0] === 'wide' && event[1] === 5), 'what was held');
    assert.deepEqual((await seen(out, quiet, inside)), [[], [], [0, 5]]);
  });

  it('what a rule has held comes once to a socket that has the event from another room', async () => {
    const both = await inRooms('kept', 'soon');
    const soon = await inRooms('soon');
    await emit(7, { rooms: ['soon', 'kept'] });
    await eventually(() => soon.seen.some((event) => event[1] === 7), 'what was held');
    assert.deepEqual(await seen(both, soon), [[7], [7]]);
  });

  it('each room with a history keeps the event, in the order of its channel; sockets get it once', async () => {
    const before = { kept: (await history('kept')).offset ?? 0, kept2: (await history('kept2')).offset ?? 0 };
    const all = await inRooms('kept', 'kept2', 'plain');
    const second = await inRooms('kept2');
    const quiet = await inRooms('kept', 'quiet');
    const client = await onChannels('kept', 'kept2');
    await emit(1, { rooms: ['kept'] });
    await emit(2, { rooms: ['plain', 'kept'] });
    await emit(3, { rooms: ['kept2', 'kept', 'kept2'] });
    await emit(4, { rooms: ['kept'], except: ['quiet'] });
    await emit(5, { rooms: ['kept', 'kept2'], except: [quiet.id] });
    await emit(6, { rooms: ['plain', 'kept2'], sockets: [second.id, quiet.id] });
    const [of_all, of_second, of_quiet, of_client] = await seen(all, second, quiet, client);
    assert.deepEqual(of_all.sort(), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(of_second, [3, 5, 6]);
    assert.deepEqual(of_quiet.sort(), [1, 2, 3, 6]);
    const through = (channel) => of_client.filter((one) => one.startsWith(`${channel}:`)).map((one) => Number(one.split(':')[1]));
    assert.deepEqual(through('kept'), [1, 2, 3, 4, 5]);
    assert.deepEqual(through('kept2'), [3, 5, 6]);
    assert.deepEqual((await kept('kept', before.kept)).slice(0, 5), [1, 2, 3, 4, 5]);
    assert.deepEqual((await kept('kept2', before.kept2)).slice(0, 3), [3, 5, 6]);
  });

  it('a Pusher client that has missed such an event gets it when it recovers', async () => {
    await emit(0, { rooms: ['kept'] });
    const { epoch, offset } = await history('kept');
    await emit(21, { rooms: ['kept', 'plain'] });
    await emit(22, { rooms: ['kept'], except: ['nobody'] });
    await emit(23, { rooms: ['slow', 'kept', 'kept2'] });
    const client = await server.connect();
    const answer = await client.subscribe('kept', { recover: { epoch, offset } });
    assert.equal(JSON.parse(answer.data).recovered, true, answer.data);
    await client.until(() => client.all('wide').length >= 3, 'what was missed');
    assert.deepEqual(client.all('wide').map(({ data }) => Number(data)), [21, 22, 23]);
  });

  it('a socket.io client that is recovered gets each once', async () => {
    const socket = await inRooms('kept', 'kept2', 'plain');
    await emit(30, { rooms: ['kept'] });
    await eventually(() => socket.seen.some((event) => event[1] === 30), 'the first');
    const gone = sioOnce(socket, 'disconnect');
    socket.io.engine.close();
    await gone;
    for (let i = 31; i < 36; ++i) await emit(i, { rooms: ['plain', 'kept2', 'kept'] });
    if (!socket.connected) await sioOnce(socket, 'connect');
    assert.equal(socket.recovered, true);
    const [values] = await seen(socket);
    assert.deepEqual(values, [30, 31, 32, 33, 34, 35]);
  });

  it('what asks for an acknowledgement, or is volatile, is kept by no room', async () => {
    const { offset } = await history('kept');
    const socket = await inRooms('kept', 'plain');
    socket.on('asked', (_value, answer) => answer('yes'));
    const { acks } = await target.emit({ event: 'asked', args: [1], rooms: ['kept', 'plain'], ack_timeout_ms: 30_000 });
    assert.deepEqual(acks, ['yes']);
    await emit(40, { rooms: ['kept', 'plain'], volatile: true });
    await eventually(() => socket.seen.some((event) => event[1] === 40), 'the volatile one');
    assert.equal((await history('kept')).offset, offset);
  });
});

describe('socketio_rooms over a restart', { skip: kReference }, () => {
  let folder;
  before(() => { folder = mkdtempSync(path.join(tmpdir(), 'kilat-sio-rooms-')); });
  after(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(() => closeSioClients());

  it('what was emitted to two durable rooms before the client came back reaches it once', async () => {
    const options = {
      apps: [{ client_events_on_public: true, history: ['job.* durable'] }],
      history: { file: path.join(folder, 'history.db') },
      socketio: { recovery_ms: 60_000 },
    };
    let target = await startTarget(options);
    const socket = await sioConnected(target, { transports: ['websocket'], reconnection: true });
    for (const room of ['job.1', 'job.2']) await sioSubscribe(socket, room);
    await target.emit({ event: 'wide', args: [0], rooms: ['job.1', 'job.2'] });
    // What comes behind it in each room says with its offset that the client has seen it.
    for (const room of ['job.1', 'job.2']) await target.emit({ event: 'next', args: [], rooms: [room] });
    await eventually(() => socket.seen.length === 3, 'the first three');
    socket.io.reconnection(false);
    const { port } = target.server;
    await target.server.kill9();
    target.ordered.destroy();
    target = await startTarget({ ...options, port });
    await target.emit({ event: 'wide', args: [1], rooms: ['job.2', 'job.1'] });
    await eventually(async () => (await target.server.request('GET', '/channels/job.1/history')).json.offset === 3, 'one');
    await eventually(async () => (await target.server.request('GET', '/channels/job.2/history')).json.offset === 3, 'two');
    socket.connect();
    await sioOnce(socket, 'connect');
    assert.equal(socket.recovered, true);
    for (const room of ['job.1', 'job.2']) await target.emit({ event: `end-${room}`, args: [], rooms: [room] });
    await eventually(() => ['job.1', 'job.2'].every((room) => socket.seen.some(([name]) => name === `end-${room}`)), 'the ends');
    assert.deepEqual(socket.seen.filter(([name]) => name === 'wide').map((event) => event[1]), [0, 1]);
    closeSioClients();
    await target.stop();
  });

  const startKept = (name) => startServer({
    apps: [{ history: ['job.* size=100000 bytes=64MiB durable'] }],
    history: { file: path.join(folder, name) },
  });
  const emit = (server, args, rooms) => server.request('POST', '/socketio/emit', { body: { event: 'e', args, rooms } });
  const kept = async (server, channel) => (await server.history(channel)).events.map(({ data }) => JSON.parse(data));

  it('an emit that was answered is on disk, whatever happens then', async () => {
    const acknowledged = { 'job.1': [], 'job.2': [] };
    let number = 0;
    for (let round = 0; round < 5; round++) {
      const server = await startKept('answers.db');
      let ended = false;
      const emitters = [['job.1'], ['job.2'], ['job.1', 'job.2', 'plain']].map(async (rooms) => {
        while (!ended) {
          const value = ++number;
          const answer = await emit(server, [value], rooms).catch(() => null);
          if (answer?.status === 200) for (const room of rooms) acknowledged[room]?.push(value);
        }
      });
      const before = number;
      await eventually(() => number > before + 50, 'some emits');
      server.child.kill('SIGKILL');
      await server.exited;
      ended = true;
      await Promise.all(emitters);
      await server.kill9();
    }
    const server = await startKept('answers.db');
    for (const [room, values] of Object.entries(acknowledged)) {
      const there = new Set(await kept(server, room));
      assert.ok(values.length > 50);
      assert.deepEqual(values.filter((value) => !there.has(value)), [], room);
    }
    await server.stop();
  });

  it('an emit that the disk has no room for is refused, to one room and to several', async () => {
    const server = await startKept('full.db');
    const limit = (bytes) => execFileSync('prlimit', ['--pid', server.child.pid, `--fsize=${bytes}:unlimited`]);
    assert.equal((await emit(server, ['before'], ['job.1'])).status, 200);
    limit(1);
    for (const rooms of [['job.1'], ['job.2'], ['job.1', 'job.2', 'plain']]) {
      const answer = await emit(server, ['y'.repeat(9_000)], rooms);
      await expectHttpError(server, answer, 'history_unavailable');
    }
    assert.equal((await emit(server, ['x'], ['plain'])).status, 200);
    limit('unlimited');
    await eventually(async () => (await emit(server, ['after'], ['job.1', 'job.2'])).status === 200, 'room on the disk');
    assert.deepEqual([(await kept(server, 'job.1')).at(-1), await kept(server, 'job.2')], ['after', ['after']]);
    assert.ok(!(await kept(server, 'job.1')).some((value) => value.startsWith('y')));
    await server.stop();
  });
});
