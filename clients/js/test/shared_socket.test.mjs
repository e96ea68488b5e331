// A shared socket's tab alone: what it does with words of leaders, without a leader of its own.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

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
