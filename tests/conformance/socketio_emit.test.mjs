// Cases S36, S37 and S56-S59, and the rest of the emit API: what a server does by itself.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectHttpError } from './asserts.mjs';
import { eventually, reasonRow } from './harness.mjs';
import { send } from './http_client.mjs';
import { poll, sleep, splitPayload, within } from './sio_engine.mjs';
import { connectedSession, dropSessions, kTransports } from './sio_session.mjs';
import { kOurs, signinArgument, startTarget } from './sio_target.mjs';

const kApiKey = 'key-of-the-emit-api';
const kBinary = { $binary: 'AQID' };
const kBytes = Buffer.from([1, 2, 3]);

describe('socketio_emit', () => {
  let target;
  before(async () => {
    target = await startTarget({
      socketio: { protocol_suite: true, status_path: '/api/test/ws-status' },
      apps: [{ api_key: kApiKey, client_events_on_public: true }],
    });
  });
  after(() => target?.stop());
  afterEach(() => dropSessions());

  function both(name, test, options = {}) {
    for (const transport of kTransports) it(`${name} (${transport})`, options, () => test(transport));
  }

  const id_of = (session, nsp = '/') => session.ids[nsp];

  /** Sends a marker to these sessions only; resolves with the arguments of all `event`s that came to each before it. */
  async function arrived(event, sessions) {
    const sockets = sessions.map((session) => id_of(session));
    await target.emit({ event: 'marker', args: [], sockets });
    return Promise.all(
      sessions.map(async (session) => {
        const seen = [];
        for (;;) {
          const packet = await session.receive();
          if (packet.data[0] === 'marker') return seen;
          assert.equal(packet.data[0], event);
          seen.push(packet.data.slice(1));
        }
      }),
    );
  }

  both('S36: a socket is asked and answers', async (transport) => {
    const session = await connectedSession(target, transport);
    const asking = target.emit({ event: 'really?', args: [1], sockets: [id_of(session)], ack_timeout_ms: 30_000 });
    const packet = await session.receive();
    assert.deepEqual([packet.type, packet.data], [2, ['really?', 1]]);
    assert.equal(typeof packet.id, 'number');
    await session.send(`43${packet.id}["yes","ignored"]`);
    const answer = await asking;
    assert.deepEqual([answer.acks, answer.answered], [['yes'], 1]);
    if (!target.reference) assert.equal(answer.asked, 1);
    await session.send(`43${packet.id}["again"]`);
    await session.assertQuiet();
  });

  both('S36: who is silent is not waited for, and its late answer is ignored', async (transport) => {
    const session = await connectedSession(target, transport);
    const asking = target.emit({ event: 'really?', sockets: [id_of(session)], ack_timeout_ms: 200 });
    const { id } = await session.receive();
    const answer = await asking;
    assert.deepEqual([answer.acks, answer.answered], [[], 0]);
    await session.send(`43${id}["late"]`);
    await session.assertQuiet();
  });

  both('an answer may be binary, in a namespace as well', async (transport) => {
    const session = await connectedSession(target, transport, '/custom');
    const sockets = [id_of(session, '/custom')];
    const question = { namespace: '/custom', event: 'picture?', args: [kBinary], sockets };
    const asking = target.emit({ ...question, ack_timeout_ms: 30_000 });
    const packet = await session.receive();
    assert.deepEqual([packet.type, packet.nsp, packet.data], [5, '/custom', ['picture?', kBytes]]);
    await session.send(`461-/custom,${packet.id}[{"a":{"_placeholder":true,"num":0}}]`, Buffer.from('jpeg'));
    assert.deepEqual((await asking).acks, [{ a: { $binary: Buffer.from('jpeg').toString('base64') } }]);
  });

  it('an answer without arguments is null, and nobody there to ask is an empty list', kOurs, async () => {
    const session = await connectedSession(target, 'websocket');
    const asking = target.emit({ event: 'q', sockets: [id_of(session)], ack_timeout_ms: 30_000 });
    const { id } = await session.receive();
    await session.send(`43${id}[]`);
    assert.deepEqual(await asking, { acks: [null], asked: 1, answered: 1 });
    const nobody = await target.emit({ event: 'q', rooms: ['empty-room'], ack_timeout_ms: 30_000 });
    assert.deepEqual(nobody, { acks: [], asked: 0, answered: 0 });
  });

  it('who leaves while it is asked is no longer waited for', kOurs, async () => {
    const session = await connectedSession(target, 'websocket');
    const asking = target.emit({ event: 'q', sockets: [id_of(session)], ack_timeout_ms: 30_000 });
    await session.receive();
    session.drop();
    // Well before the time for acknowledgements is over.
    const { acks, asked, answered } = await within(asking, 'answer without the one who left', 20_000);
    assert.deepEqual([acks, asked, answered], [[], 1, 0]);
  });

  both('S37: any arguments', async (transport) => {
    const session = await connectedSession(target, transport);
    const sockets = [id_of(session)];
    const lists = [[null, {}, []], [], ['text', 1.5, true, { a: [1, { b: null }] }], ['ü\u0000\u001e\ud83d\ude00']];
    for (const args of lists) {
      await target.emit({ event: 'any', args, sockets });
      assert.deepEqual(await session.event('any'), args);
    }
  });

  both('$binary becomes an attachment, up to ten', async (transport) => {
    const session = await connectedSession(target, transport);
    const sockets = [id_of(session)];
    await target.emit({ event: 'b', args: [{ deep: [kBinary] }, kBinary, { $binary: '' }], sockets });
    assert.deepEqual(await session.event('b'), [{ deep: [kBytes] }, kBytes, Buffer.alloc(0)]);
    const ten = Array.from({ length: 10 }, (_, i) => ({ $binary: Buffer.from([i]).toString('base64') }));
    await target.emit({ event: 'b', args: ten, sockets });
    assert.deepEqual(await session.event('b'), ten.map((_, i) => Buffer.from([i])));
    await session.assertQuiet();
  });

  it('an argument that looks like a placeholder never takes the place of an attachment', kOurs, async () => {
    const session = await connectedSession(target, 'websocket');
    const args = [{ _placeholder: true, num: 0 }, kBinary];
    const response = await target.request('POST', 'emit', { body: { event: 'b', args, sockets: [id_of(session)] } });
    assert.equal(response.status, 400, response.text);
    await session.assertQuiet();
  });

  both('S56: disconnect leaves the other namespaces and the connection', async (transport) => {
    const session = await connectedSession(target, transport);
    await session.connect('/custom');
    const answer = await target.disconnect({ namespace: '/custom', sockets: [id_of(session, '/custom')] });
    assert.equal(answer.sockets, 1);
    await session.expect('41/custom,');
    await session.assertQuiet();
    await target.disconnect({ sockets: [id_of(session)] });
    await session.expect('41');
    await session.connect();
    await session.assertQuiet();
  });

  both('S56: disconnect with close says so in each namespace and ends the connection', async (transport) => {
    const session = await connectedSession(target, transport);
    await session.connect('/custom');
    await target.disconnect({ sockets: [id_of(session)], close: true });
    await session.expect('41');
    await session.expect('41/custom,');
    await session.assertClosed();
  });

  for (const waits of [true, false]) {
    it(`S56: a polling client hears 41 in one answer and the end in the next (its GET waits: ${waits})`, async () => {
      // A client that reads both in one body ends first and looks at 41 afterwards: it would come back.
      const session = await connectedSession(target, 'polling');
      const waiting = waits ? poll(target, session.sid) : undefined;
      await sleep(300);
      await target.disconnect({ sockets: [id_of(session)], close: true });
      assert.equal((await (waiting ?? poll(target, session.sid))).text, '41');
      assert.match((await poll(target, session.sid)).text, /^(6\x1e)?1$/);
    });
  }

  it('S57: a volatile event reaches a WebSocket that is ready', async () => {
    const session = await connectedSession(target, 'websocket');
    const sockets = [id_of(session)];
    for (const n of [1, 2]) {
      await target.emit({ event: 'v', args: [n], sockets, volatile: true });
      assert.deepEqual(await session.event('v'), [n]);
    }
  });

  it('S57: a volatile event reaches a polling client only while its GET waits', async () => {
    const session = await connectedSession(target, 'polling');
    const sockets = [id_of(session)];
    await target.emit({ event: 'v', args: ['without GET'], sockets, volatile: true });
    const waiting = poll(target, session.sid);
    await sleep(500);
    await target.emit({ event: 'v', args: [1], sockets, volatile: true });
    await target.emit({ event: 'v', args: [2], sockets, volatile: true });
    assert.deepEqual(splitPayload((await waiting).text), ['42["v",1]']);
    assert.deepEqual(await arrived('v', [session]), [[]]);
  });

  it('S57: a volatile event does not queue behind others for a slow reader', kOurs, async () => {
    const slow = await startTarget({
      socketio: { protocol_suite: true },
      apps: [{ event_bytes_max: '1MiB' }],
      limits: { outbox_bytes_max: '128MiB', outbox_soft_bytes: '64MiB' },
    });
    try {
      const session = await connectedSession(slow, 'websocket');
      const sockets = [id_of(session)];
      session.raw.socket.pause();
      const text = 'x'.repeat(900_000);
      const count = 30; // more than the kernel keeps of a connection
      for (let i = 0; i < count; ++i) await slow.emit({ event: 'big', args: [i, text], sockets });
      await slow.emit({ event: 'v', args: [], sockets, volatile: true });
      await slow.emit({ event: 'last', args: [], sockets });
      session.raw.socket.resume();
      for (let i = 0; i < count; ++i) assert.equal((await session.event('big'))[0], i);
      await session.event('last');
    } finally {
      await slow.stop();
    }
  });

  it('a polling client that does not poll is closed when too much waits for it', kOurs, async () => {
    const small = await startTarget({
      socketio: { protocol_suite: true },
      limits: { outbox_bytes_max: '64KiB', outbox_soft_bytes: '32KiB' },
    });
    try {
      const session = await connectedSession(small, 'polling');
      const sockets = [id_of(session)];
      const text = 'x'.repeat(10_000);
      for (let i = 0; i < 20; ++i) await small.emit({ event: 'e', args: [i, text], sockets });
      // What was kept may still be read, without a gap; then the session is over, and not merely poorer.
      let read = 0;
      const next = () => poll(small, session.sid);
      for (let response = await next(); response.status === 200; response = await next()) {
        for (const packet of splitPayload(response.text)) {
          if (packet.startsWith('42["e",')) assert.equal(JSON.parse(packet.slice(2))[1], read++);
        }
      }
      assert.ok(read < 20);
      await eventually(async () => (await small.get('count')).connected === 0, 'the end of the session');
      const reader = await connectedSession(small, 'websocket');
      await reader.assertQuiet();
    } finally {
      await small.stop();
    }
  });

  it('S58: a question to two is asked with one id, and the answers are gathered', async () => {
    const sessions = await Promise.all([connectedSession(target, 'websocket'), connectedSession(target, 'polling')]);
    await Promise.all(sessions.map((session) => target.join({ to: ['s58'], sockets: [id_of(session)] })));
    const ask = (ack_timeout_ms) => target.emit({ event: 'q', rooms: ['s58'], ack_timeout_ms });
    await eventually(async () => target.reference || (await target.get('rooms')).rooms.s58 === 2, 'both in the room');
    const one = ask(1500);
    const packets = await Promise.all(sessions.map((session) => session.receive()));
    assert.equal(packets[0].id, packets[1].id);
    await sessions[0].send(`43${packets[0].id}["A"]`);
    assert.deepEqual((await one).acks, ['A']);
    const two = ask(30_000);
    await Promise.all(
      sessions.map(async (session, i) => {
        const { id } = await session.receive();
        await session.send(`43${id}["${i}"]`);
      }),
    );
    assert.deepEqual((await two).acks.sort(), ['0', '1']);
  });

  it('S59: rooms are a union, exceptions are taken from it, and nobody gets anything twice', async () => {
    const [a, b, c] = await Promise.all(kTransports.concat('websocket').map((t) => connectedSession(target, t)));
    for (const [session, rooms] of [[a, ['s59-1', 's59-2']], [b, ['s59-1']], [c, ['s59-2']]]) {
      for (const room of rooms) await session.subscribe(room);
    }
    const rows = [
      [{ rooms: ['s59-1', 's59-2'] }, [1, 1, 1]],
      [{ rooms: ['s59-1'] }, [1, 1, 0]],
      [{ rooms: ['s59-1'], except: ['s59-2'] }, [0, 1, 0]],
      [{ except: ['s59-2'] }, [0, 1, 0]],
      [{ rooms: ['nobody-here'] }, [0, 0, 0]],
      [{ rooms: [] }, [0, 0, 0]],
      [{ rooms: ['s59-2'], sockets: [id_of(b)] }, [1, 1, 1]],
      [{ sockets: [id_of(c), id_of(c)] }, [0, 0, 1]],
      [{ rooms: ['s59-1', 's59-2'], except: [id_of(a)] }, [0, 1, 1]],
      [{}, [1, 1, 1]],
    ];
    for (const [i, [selection, expected]] of rows.entries()) {
      await target.emit({ event: 'e', args: [i], ...selection });
      const chosen = [a, b, c].filter((_, at) => expected[at]);
      for (const session of chosen) assert.deepEqual(await session.event('e'), [i], JSON.stringify(selection));
      // A room's home is asked first, so the marker may be faster than what must not come.
      await sleep(100);
      assert.deepEqual(await arrived('e', [a, b, c]), [[], [], []], JSON.stringify(selection));
    }
  });

  it('namespaces do not mix, and events without rooms stay in theirs', async () => {
    const session = await connectedSession(target, 'websocket');
    await session.connect('/custom');
    await target.emit({ namespace: '/custom', event: 'e', args: ['custom'] });
    await session.expect('42/custom,["e","custom"]');
    await session.send('42/custom,1["subscribe","shared"]');
    await session.expect('43/custom,1[{"ok":true}]');
    await target.emit({ event: 'e', args: ['plain'], rooms: ['shared'] });
    await target.emit({ namespace: '/custom', event: 'e', args: ['scoped'], rooms: ['shared'] });
    await session.expect('42/custom,["e","scoped"]');
    await session.assertQuiet();
  });

  it('users and their sockets', kOurs, async () => {
    const [a, b] = await Promise.all([connectedSession(target, 'websocket'), connectedSession(target, 'polling')]);
    for (const session of [a, b]) {
      const [answer] = await session.call(1, 'signin', signinArgument(target.app, id_of(session), { id: 'ulla' }));
      assert.equal(answer.ok, true, JSON.stringify(answer));
    }
    const state = () => target.get('users/ulla');
    await eventually(async () => (await state()).sockets === 2, 'two sockets of the user');
    assert.deepEqual(await state(), { online: true, sockets: 2 });
    assert.deepEqual(await target.get('users/nobody'), { online: false, sockets: 0 });
    await target.emit({ event: 'hello', args: [1], users: ['ulla'] });
    for (const session of [a, b]) assert.deepEqual(await session.event('hello'), [1]);
    await target.disconnect({ users: ['ulla'], close: true });
    for (const session of [a, b]) await session.closed(/^41$/);
    await eventually(async () => (await state()).online === false, 'the end of the user');
  });

  it('join and leave from outside, and what GET tells', kOurs, async () => {
    const [a, b] = await Promise.all([connectedSession(target, 'websocket'), connectedSession(target, 'polling')]);
    await a.subscribe('outside-1');
    const both_in = await target.join({ sockets: [id_of(a), id_of(b)], to: ['outside-2', 'outside-3'] });
    assert.deepEqual(both_in, { sockets: 2 });
    const rooms = async () => (await target.get('rooms', { namespace: '/' })).rooms;
    await eventually(async () => (await rooms())['outside-3'] === 2, 'both in the room');
    assert.deepEqual([(await rooms())['outside-1'], (await rooms())['outside-2']], [1, 2]);
    const { sockets } = await target.get('sockets', { namespace: '/', room: 'outside-2' });
    assert.deepEqual(sockets.map(({ id }) => id).sort(), [id_of(a), id_of(b)].sort());
    const first = sockets.find(({ id }) => id === id_of(a));
    assert.deepEqual(first.rooms.sort(), ['outside-1', 'outside-2', 'outside-3']);
    assert.deepEqual([first.transport, first.address], ['websocket', '127.0.0.1']);
    assert.equal(typeof first.connected_ms, 'number');
    assert.equal(sockets.find(({ id }) => id === id_of(b)).transport, 'polling');
    await target.emit({ event: 'e', args: [1], rooms: ['outside-2'] });
    for (const session of [a, b]) assert.deepEqual(await session.event('e'), [1]);
    assert.deepEqual(await target.leave({ rooms: ['outside-1'], to: ['outside-2'] }), { sockets: 1 });
    await eventually(async () => (await rooms())['outside-2'] === 1, 'one left');
  });

  it('count and the status page count sockets', kOurs, async () => {
    const count = async () => (await target.get('count', { namespace: '/' })).connected;
    await eventually(async () => (await count()) === 0, 'the sockets of other tests to be gone');
    const session = await connectedSession(target, 'websocket');
    await session.connect('/custom');
    assert.deepEqual(await target.get('count'), { connected: 1 });
    assert.deepEqual(await target.get('count', { namespace: '/custom' }), { connected: 1 });
    const page = await send(target, 'GET', '/api/test/ws-status', { agent: false });
    assert.equal(page.status, 200);
    assert.match(page.text, /\b1\b/);
    session.drop();
    await eventually(async () => (await count()) === 0, 'the socket to be gone');
  });

  it('requests are signed, or carry the key of the app', kOurs, async () => {
    const session = await connectedSession(target, 'websocket');
    const body = JSON.stringify({ event: 'e', args: [1], sockets: [id_of(session)] });
    const post = (headers) => send(target, 'POST', '/apps/app-id/socketio/emit', { body, headers, agent: false });
    assert.equal((await post({})).status, 401);
    assert.equal((await post({ Authorization: 'Bearer wrong' })).status, 401);
    assert.equal((await post({ Authorization: `Bearer ${kApiKey}` })).status, 200);
    assert.deepEqual(await session.event('e'), [1]);
    await session.assertQuiet();
  });

  it('requests that make no sense are refused by a row of the table', kOurs, async () => {
    const eleven = Array.from({ length: 11 }, () => kBinary);
    for (const [what, body] of [
      ['emit', {}],
      ['emit', { event: 1 }],
      ['emit', { event: 'e', args: 'no list' }],
      ['emit', { event: 'e', args: eleven }],
      ['emit', { event: 'e', args: [{ $binary: 'not base64!' }] }],
      ['emit', { event: 'e', rooms: 'a' , except: 5 }],
      ['emit', { event: 'e', rooms: [5] }],
      ['emit', { event: 'e', namespace: '/nope' }],
      ['emit', '{"event":"e"'],
      ['emit', '[]'],
      ['join', { rooms: ['a'] }],
      ['join', { rooms: ['a'], to: 'presence-nobody' }],
      ['join', { rooms: ['a'], to: '' }],
      ['leave', {}],
      ['nothing', {}],
    ]) {
      const response = await target.request('POST', what, { body });
      const label = `${what} ${JSON.stringify(body)}: ${response.status} ${response.text}`;
      assert.ok(response.status === 400 || response.status === 404, label);
      assert.equal(reasonRow(response.json.reason).http_status, response.status, label);
    }
    for (const name of ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener']) {
      const response = await target.request('POST', 'emit', { body: { event: name, args: [] } });
      await expectHttpError(target.server, response, 'event_name_reserved', { httpStatus: 400 });
    }
    const elsewhere = await target.request('GET', 'sockets', { query: { namespace: '/nope' } });
    assert.equal(elsewhere.status, 404);
  });
});
