// A shared socket's tab alone: what it does with words of leaders, without a leader of its own.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { SocketLeader } from '../dist/shared/socket_leader.js';
import { sharedConnection, socketAdapter } from '../dist/shared_connection.js';

/** A tab that never gets the lock, and hears what the test says. */
let shared;
let bus;
let posted;

beforeEach(() => {
  posted = [];
  shared = sharedConnection({
    name: 'alone',
    environment: {
      randomId: () => 'me',
      locks: {
        // Its own lock it gets; that of the leader it does not.
        request: async (name, options, callback) => (name.includes(':tab:') ? callback() : new Promise(() => {})),
        query: async () => ({ held: [] }),
      },
      bus: () => (bus = { postMessage: (message) => posted.push(message), close() {}, onmessage: null }),
      watchPage: () => () => {},
    },
    adapter: socketAdapter(() => assert.fail('this tab does not lead')),
  });
});

const say = (message) => bus.onmessage({ data: message });
const tell = (body, from = 'leader') => say({ kind: 'tell', from, body });
const event = (n, offset) => ({ kind: 'event', event: 'e', args: [n], session: offset === undefined ? null : { pid: 'p', offset } });
const asked = () => posted.filter(({ kind }) => kind === 'ask').map(({ body }) => body);

test('EventOfTwoLeaders_WithOneOffset_IsTakenOnce', () => {
  const seen = [];
  shared.on('e', (n) => seen.push(n));
  tell(event(1, 'a'), 'old');
  tell(event(1, 'a'), 'new');
  tell(event(2, 'b'), 'new');
  assert.deepEqual(seen, [1, 2]);
  // Without recovery equal events are events like any other.
  tell(event(3));
  tell(event(3));
  assert.deepEqual(seen, [1, 2, 3, 3]);
});

test('Offsets_AreRememberedWithinABound', () => {
  const seen = [];
  shared.on('e', (n) => seen.push(n));
  for (let n = 0; n <= 200; n++) tell(event(n, `offset ${n}`));
  tell(event('newest again', 'offset 200'));
  tell(event('oldest again', 'offset 0'));
  assert.deepEqual(seen.slice(200), [200, 'oldest again']);
});

test('NewLeader_IsToldRoomsSessionAndWhatTheServerHolds', () => {
  say({ kind: 'lead', from: 'first' });
  shared.emit('subscribe', { channel: 'private-a', auth: 'x' });
  shared.emit('subscribe', 'b');
  shared.emit('subscribe', 'c');
  shared.emit('unsubscribe', 'c');
  tell({ kind: 'rooms', joined: ['private-a', 'b', 'of another tab'] });
  tell(event(1, 'place'));
  say({ kind: 'lead', from: 'second' });
  assert.deepEqual(posted.at(-1), {
    kind: 'ask',
    from: 'me',
    to: 'second',
    body: {
      kind: 'holds',
      rooms: [['private-a', { channel: 'private-a', auth: 'x' }], ['b', 'b']],
      session: { pid: 'p', offset: 'place' },
      joined: ['private-a', 'b', 'of another tab'],
    },
  });
});

test('State_IsThatOfTheLeadersSocket', () => {
  const seen = [];
  for (const name of ['connect', 'disconnect', 'connect_error']) shared.on(name, (what) => seen.push([name, what?.message ?? what]));
  const state = (id, recovered) => ({ kind: 'state', state: { state: id ? 'connected' : 'disconnected', id }, recovered, session: null });
  tell({ kind: 'error', message: 'no route' });
  tell(state('s1', false));
  assert.deepEqual([shared.connected, shared.id, shared.recovered], [true, 's1', false]);
  tell(state('s1', false));
  tell(state('', false));
  assert.deepEqual([shared.connected, shared.id], [false, undefined]);
  tell(state('s1', true));
  assert.equal(shared.recovered, true);
  assert.deepEqual(seen, [['connect_error', 'no route'], ['connect', undefined], ['disconnect', 'transport close'], ['connect', undefined]]);
});

test('CallsThatWait_AreSentToTheFirstLeader_AndLostWithIt', async () => {
  const answers = [];
  const call = shared.emitWithAck('x', 1);
  shared.emit('y', 2, (...values) => answers.push(values));
  say({ kind: 'lead', from: 'first' });
  assert.deepEqual(asked().slice(1), [
    { kind: 'emit', event: 'x', args: [1], call: 1 },
    { kind: 'emit', event: 'y', args: [2], call: 2 },
  ]);
  tell({ kind: 'answer', call: 2, args: ['a', 'b'] });
  tell({ kind: 'answer', call: 2, args: ['twice'] });
  assert.deepEqual(answers, [['a', 'b']]);
  say({ kind: 'lead', from: 'second' });
  await assert.rejects(call, /before the answer/);
});

test('Calls_BeyondWhatALeaderKeepsWhileItIsElected_AreRejected', async () => {
  const told = [];
  const desk = { self: 'me', tell: (body, to) => told.push({ to, body }), tellOthers: () => {} };
  const leader = new SocketLeader(desk, () => assert.fail('the election is not complete'));
  for (const call of [...Array(101).keys(), null]) leader.ask('tab', { kind: 'emit', event: 'x', args: [], call });
  assert.deepEqual(told, [{ to: 'tab', body: { kind: 'lost', call: 100 } }]);

  say({ kind: 'lead', from: 'first' });
  const call = shared.emitWithAck('x');
  tell({ kind: 'lost', call: asked().at(-1).call });
  await assert.rejects(call, /before the answer/);
});

test('Calls_BeyondTheBound_AreRejected', async () => {
  const calls = Array.from({ length: 101 }, (_, i) => shared.emitWithAck('x', i));
  await assert.rejects(calls[100], /before the answer/);
  say({ kind: 'lead', from: 'first' });
  const more = Array.from({ length: 901 }, (_, i) => shared.emitWithAck('x', i));
  await assert.rejects(calls[0], /before the answer/);
  shared.close();
  const results = await Promise.allSettled([...calls, ...more]);
  assert.ok(results.every(({ status }) => status === 'rejected'));
});

/** A socket.io-client socket that notes what is emitted, and answers when the test says so. */
class FakeSocket {
  connected = false;
  recovered = false;
  emitted = [];
  #handlers = new Map();
  #any = () => {};
  on(name, handler) {
    this.#handlers.set(name, handler);
  }
  onAny(handler) {
    this.#any = handler;
  }
  emit(...all) {
    this.emitted.push(all);
  }
  come(...all) {
    this.#any(...all);
  }
  change(connected) {
    this.connected = connected;
    this.#handlers.get(connected ? 'connect' : 'disconnect')();
  }
}

test('RoomWithHistory_IsJoinedAgainWhereTheTabsAre', () => {
  const told = [];
  const socket = new FakeSocket();
  const leader = new SocketLeader({ self: 'me', tell: (body, to) => told.push({ to, body }), tellOthers() {} }, () => socket);
  const ask = (tab, call) =>
    leader.ask(tab, { kind: 'emit', event: 'subscribe', args: [{ channel: 'a', recover: true }], call });
  const answers = () => told.filter(({ body }) => body.kind === 'answer').map(({ body }) => body.args[0]);
  leader.gathered();
  socket.change(true);
  ask('one', 1);
  socket.emitted[0][2]({ ok: true, position: { epoch: 'e', offset: 4 } });
  socket.come('raised', { n: 5 }, { channel: 'a', offset: 5 }, 'place');
  socket.come('raised', { n: 1 }, { channel: 'of another room', offset: 70 }, 'place');

  // A tab that comes later is told where the room is, which the server does not say again.
  ask('two', 2);
  assert.deepEqual(socket.emitted[1][1], { channel: 'a', recover: { epoch: 'e', offset: 5 } });
  socket.emitted[1][2]({ ok: true });
  assert.deepEqual(answers().at(-1), { ok: true, position: { epoch: 'e', offset: 5 } });

  socket.change(false);
  socket.change(true);
  assert.deepEqual(socket.emitted[2][1], { channel: 'a', recover: { epoch: 'e', offset: 5 } });
  socket.emitted[2][2]({ ok: true, position: { epoch: 'e', offset: 7 }, recovered: true });
  socket.come('raised', { n: 6 }, { channel: 'a', offset: 6 });
  socket.change(false);
  socket.change(true);
  assert.deepEqual(socket.emitted[3][1].recover, { epoch: 'e', offset: 6 }, 'cut off while it caught up');
  socket.emitted[3][2]({ ok: true, position: { epoch: 'f', offset: 2 }, recovered: false, reason: 'history_epoch' });
  socket.change(false);
  socket.change(true);
  assert.deepEqual(socket.emitted[4][1].recover, { epoch: 'f', offset: 2 });
});

test('NewLeader_IsToldWhereARoomWithHistoryIs', () => {
  say({ kind: 'lead', from: 'first' });
  shared.emit('subscribe', { channel: 'a', recover: true }, () => {});
  tell({ kind: 'answer', call: 1, args: [{ ok: true, position: { epoch: 'e', offset: 4 } }] });
  tell({ kind: 'event', event: 'raised', args: [{}, { channel: 'a', offset: 5 }], session: null });
  say({ kind: 'lead', from: 'second' });
  assert.deepEqual(posted.at(-1).body.rooms, [['a', { channel: 'a', recover: { epoch: 'e', offset: 5 } }]]);
});
