// Cases R1-R14: connection state recovery. Where the reference server is known to fail (a client that has seen no event,
// volatile events, half-open connections, an identity used twice) the better rule is asked for.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { eventually } from './harness.mjs';
import { closeSioClients, kWays, sioConnected, sioEvent, sioOnce, sioBack, sioSubscribe } from './sio_clients.mjs';
import { sleep, within } from './sio_engine.mjs';
import { startProxy } from './sio_proxy.mjs';
import { connectedSession, dropSessions, kTransports, openSession } from './sio_session.mjs';
import { kOurs, kReference, startTarget } from './sio_target.mjs';

const kWindowMs = 3000;
const kBinary = { $binary: 'AQID' };
const kBytes = Buffer.from([1, 2, 3]);

/** The arguments of a recorded event without its offset. */
function without_offset(args) {
  assert.equal(typeof args.at(-1), 'string', `an offset at the end of ${JSON.stringify(args)}`);
  return args.slice(0, -1);
}

describe('socketio_recovery', () => {
  let target;
  let markers = 0;
  before(async () => {
    target = await startTarget({ socketio: { recovery_ms: kWindowMs } });
  });
  after(() => target?.stop());
  afterEach(async () => {
    closeSioClients();
    await dropSessions();
  });

  /** A joined session with its `pid`, and the rooms given. */
  async function joined(transport, ...rooms) {
    const session = await openSession(target, transport);
    session.pid = (await session.connect()).pid;
    for (const room of rooms) await session.subscribe(room);
    return session;
  }

  const id_of = (session) => session.ids['/'];
  const emit_to = (session, ...args) => target.emit({ event: 'e', args, sockets: [id_of(session)] });

  /** Emits to this socket and resolves with the offset that came with it. */
  async function offset_of(session) {
    await emit_to(session, 'offset');
    return (await session.event('e')).at(-1);
  }

  /** Ends the connection without a word; the server sees it soon. */
  async function drop(session) {
    session.drop();
    await sleep(200);
  }

  /** Comes back with this CONNECT payload: {session, sid, pid, missed}. */
  async function comeBack(payload, transport = 'websocket') {
    const session = await openSession(target, transport);
    await session.send(`40${JSON.stringify(payload)}`);
    const missed = [];
    const marker = `marker ${++markers}`;
    let answer;
    for (;;) {
      const packet = await session.receive();
      if (packet.type === 0) {
        answer = packet.data;
        session.ids['/'] = answer.sid;
        // What was missed may come before the answer or behind it, but not behind what is emitted now.
        await target.emit({ event: marker, args: [], sockets: [answer.sid] });
      } else if (packet.data[0] === marker) {
        session.pid = answer.pid;
        return { session, ...answer, missed };
      } else if (packet.data[0] === 'e') {
        missed.push(packet.data.slice(1));
      }
    }
  }

  function assertRecovered(back, session) {
    assert.equal(back.sid, id_of(session), 'the same id');
    assert.equal(back.pid, session.pid, 'the same private id');
  }

  function assertNew(back, session) {
    assert.notEqual(back.sid, id_of(session));
    assert.notEqual(back.pid, session.pid);
    assert.match(back.pid, /^.{10,}$/);
    assert.deepEqual(back.missed, []);
  }

  for (const transport of kTransports) {
    it(`R1: the answer to CONNECT has a private id (${transport})`, async () => {
      const session = await openSession(target, transport);
      const answer = await session.connect();
      assert.deepEqual(Object.keys(answer), ['sid', 'pid']);
      assert.match(answer.pid, /^[\w-]{20}$/);
      assert.notEqual(answer.pid, answer.sid);
      assert.notEqual(answer.pid, session.sid);
    });

    it(`R2: an event has its offset as last argument (${transport})`, async () => {
      const session = await joined(transport, 'r2');
      for (const args of [['a'], [], [{ b: kBinary }, kBinary]]) {
        await target.emit({ event: 'echo', args, rooms: ['r2'] });
        const packet = await session.receive();
        const expected = args.length > 1 ? [{ b: kBytes }, kBytes] : args;
        assert.deepEqual(without_offset(packet.data), ['echo', ...expected]);
      }
      const first = await offset_of(session);
      assert.notEqual(await offset_of(session), first);
    });
  }

  it('R3: acknowledgements and questions have no offset', async () => {
    const session = await joined('websocket');
    assert.deepEqual(await session.call(1, 'unsubscribe', 'x'), [{ ok: true }]);
    const asking = target.emit({ event: 'q', args: [1], sockets: [id_of(session)], ack_timeout_ms: 30_000 });
    const { id, data } = await session.receive();
    assert.deepEqual(data, ['q', 1]);
    await session.send(`43${id}[2]`);
    assert.deepEqual((await asking).acks, [2]);
  });

  it('R3: a volatile event has an offset, because its last argument would be taken for one', kOurs, async () => {
    const session = await joined('websocket');
    await target.emit({ event: 'v', args: ['text'], sockets: [id_of(session)], volatile: true });
    assert.deepEqual(without_offset(await session.event('v')), ['text']);
  });

  it('R4, R5: what was missed comes back with its offsets, and the rooms are there', async () => {
    // Often enough that with several shards the client comes back on another one.
    for (let round = 0; round < 6; ++round) {
      const session = await joined('websocket', 'own', 'second');
      const offset = await offset_of(session);
      await drop(session);
      await target.emit({ event: 'e', args: ['own room'], rooms: ['own'] });
      await target.emit({ event: 'e', args: ['foreign room'], rooms: ['foreign'] });
      await emit_to(session, 'own id', kBinary);
      const back = await comeBack({ pid: session.pid, offset });
      assertRecovered(back, session);
      const missed = back.missed.map(without_offset);
      assert.deepEqual(missed.sort((a, b) => a.length - b.length), [['own room'], ['own id', kBytes]]);
      await target.emit({ event: 'e', args: ['later'], rooms: ['second'] });
      assert.deepEqual(without_offset(await back.session.event('e')), ['later']);
      back.session.drop();
    }
  });

  it('R4: many missed events come back in order, from the offset on', async () => {
    const session = await joined('websocket', 'many');
    await target.emit({ event: 'e', args: ['seen'], rooms: ['many'] });
    const offset = (await session.event('e')).at(-1);
    await drop(session);
    const count = 100;
    for (let i = 0; i < count; ++i) await target.emit({ event: 'e', args: [i], rooms: ['many'] });
    const back = await comeBack({ pid: session.pid, offset });
    assertRecovered(back, session);
    assert.deepEqual(back.missed.map((args) => args[0]), Array.from({ length: count }, (_, i) => i));
    await drop(back.session);
    const middle = back.missed[49].at(-1);
    const again = await comeBack({ pid: session.pid, offset: middle });
    assertRecovered(again, session);
    assert.equal(again.missed.length, 50);
  });

  it('R4: a client may come back by the other transport', kOurs, async () => {
    const session = await joined('polling', 'moved');
    const offset = await offset_of(session);
    const by_socket = await comeBack({ pid: session.pid, offset });
    assertRecovered(by_socket, session);
    await drop(by_socket.session);
    await target.emit({ event: 'e', args: [1], rooms: ['moved'] });
    const by_polling = await comeBack({ pid: session.pid, offset }, 'polling');
    assertRecovered(by_polling, session);
    assert.deepEqual(by_polling.missed.map(without_offset), [[1]]);
  });

  it('R6: who has seen no event yet gets everything since it connected', kOurs, async () => {
    const session = await joined('websocket', 'unseen');
    await drop(session);
    await target.emit({ event: 'e', args: [1], rooms: ['unseen'] });
    const back = await comeBack({ pid: session.pid });
    assertRecovered(back, session);
    assert.deepEqual(back.missed.map(without_offset), [[1]]);
  });

  it('R6: unknown and broken identities are new clients', async () => {
    const session = await joined('websocket');
    const offset = await offset_of(session);
    await drop(session);
    for (const payload of [
      { pid: 'abcdefghijklmnopqrst', offset },
      { pid: session.pid, offset: 'no offset of ours' },
      { pid: 5, offset },
      { pid: session.pid, offset: 5 },
      { pid: '', offset: '' },
      { pid: session.pid.slice(1), offset },
      { pid: `${session.pid}x`, offset },
      {},
    ]) {
      const back = await comeBack(payload);
      assert.notEqual(back.sid, id_of(session), JSON.stringify(payload));
      assert.notEqual(back.pid, session.pid);
      assert.deepEqual(back.missed, []);
    }
  });

  it('R7: a connection that is half-open is taken over', kOurs, async () => {
    const session = await joined('websocket', 'half');
    const offset = await offset_of(session);
    await target.emit({ event: 'e', args: ['into the void'], rooms: ['half'] });
    const back = await comeBack({ pid: session.pid, offset });
    assertRecovered(back, session);
    assert.deepEqual(back.missed.map(without_offset), [['into the void']]);
    await session.closed(/^42\["e","into the void"/);
    const { sockets } = await target.get('sockets');
    assert.equal(sockets.filter(({ id }) => id === id_of(session)).length, 1);
  });

  it('R8: who left, or was disconnected, is new', async () => {
    const left = await joined('websocket');
    const left_offset = await offset_of(left);
    await left.send('41');
    await left.settle();
    await drop(left);
    assertNew(await comeBack({ pid: left.pid, offset: left_offset }), left);

    const removed = await joined('websocket');
    const offset = await offset_of(removed);
    await target.disconnect({ sockets: [id_of(removed)], close: true });
    await removed.expect('41');
    await removed.closed();
    await drop(removed);
    assertNew(await comeBack({ pid: removed.pid, offset }), removed);
  });

  it('R9: after a violation the client may come back', async () => {
    const session = await joined('websocket');
    const offset = await offset_of(session);
    await session.send('42[]');
    await session.assertClosed();
    await drop(session);
    assertRecovered(await comeBack({ pid: session.pid, offset }), session);
  });

  it('R10: after the window the client is new', async () => {
    const session = await joined('websocket');
    const offset = await offset_of(session);
    await drop(session);
    await sleep(kWindowMs + 1000);
    assertNew(await comeBack({ pid: session.pid, offset }), session);
  });

  it('R13: an identity is given back to one connection at a time', kOurs, async () => {
    for (let round = 0; round < 4; ++round) {
      const session = await joined('websocket');
      const offset = await offset_of(session);
      await drop(session);
      const rivals = await Promise.all([openSession(target, 'websocket'), openSession(target, 'websocket')]);
      await Promise.all(rivals.map((rival) => rival.send(`40${JSON.stringify({ pid: session.pid, offset })}`)));
      const answers = await Promise.all(rivals.map((rival) => rival.receive().catch(() => undefined)));
      const winners = answers.filter((answer) => answer?.data.sid === id_of(session));
      assert.ok(winners.length >= 1);
      await emit_to(session, 'one of us');
      const got = await Promise.all(
        rivals.map((rival) => within(rival.next(), 'nothing', 500).catch(() => undefined)),
      );
      const received = got.filter((packet) => typeof packet === 'string' && packet.includes('one of us'));
      assert.equal(received.length, 1, JSON.stringify(got));
      for (const rival of rivals) rival.drop();
      await sleep(200);
    }
  });

  it('an app of the API publishes to clients that are away', kOurs, async () => {
    const session = await joined('websocket', 'from-pusher', 'private-x');
    const offset = await offset_of(session);
    await drop(session);
    await target.server.publish('from-pusher', 'e', '{"n":1}');
    await target.server.publish('private-x', 'e', 'text');
    const back = await comeBack({ pid: session.pid, offset });
    assertRecovered(back, session);
    const missed = back.missed.map(without_offset).sort((a, b) => typeof a[0] < typeof b[0] ? -1 : 1);
    assert.deepEqual(missed, [[{ n: 1 }], ['text']]);
  });

  it('a client that missed more than is kept is new', kOurs, async () => {
    const small = await startTarget({ socketio: { recovery_ms: kWindowMs, recovery_bytes_max: '4KiB' } });
    try {
      const session = await connectedSession(small, 'websocket');
      const id = id_of(session);
      const sockets = [id];
      await small.emit({ event: 'e', args: [0], sockets });
      const offset = (await session.event('e')).at(-1);
      await drop(session);
      const text = 'x'.repeat(1000);
      for (let i = 0; i < 10; ++i) await small.emit({ event: 'e', args: [text], sockets });
      const again = await openSession(small, 'websocket');
      await again.send(`40${JSON.stringify({ pid: session.pid, offset })}`);
      const answer = await again.receive();
      assert.equal(answer.type, 0);
      assert.notEqual(answer.data.sid, id);
    } finally {
      await dropSessions();
      await small.stop();
    }
  });

  it('each namespace of a connection recovers by its own private id', kOurs, async () => {
    const wide = await startTarget({ socketio: { recovery_ms: kWindowMs, namespaces: ['/custom'] } });
    try {
      const session = await openSession(wide, 'websocket');
      const main = await session.connect();
      const custom = await session.connect('/custom');
      assert.notEqual(main.pid, custom.pid);
      await drop(session);
      const again = await openSession(wide, 'websocket');
      await again.send(`40/custom,${JSON.stringify({ pid: main.pid })}`);
      assert.notEqual((await again.receive()).data.sid, main.sid, 'an identity of another namespace');
      const third = await openSession(wide, 'websocket');
      await third.send(`40/custom,${JSON.stringify({ pid: custom.pid })}`, `40${JSON.stringify({ pid: main.pid })}`);
      assert.equal((await third.receive()).data.sid, custom.sid);
      assert.equal((await third.receive()).data.sid, main.sid);
    } finally {
      await dropSessions();
      await wide.stop();
    }
  });

  describe('the real client', () => {
    let proxy;
    before(async () => {
      proxy = await startProxy(target);
    });
    after(() => proxy?.close());
    afterEach(closeSioClients);

    for (const [way, transports] of Object.entries(kWays)) {
      it(`recovers after its connection was cut (${way})`, async () => {
        const socket = await sioConnected(target, { port: proxy.port, transports });
        await sioSubscribe(socket, 'real');
        const { id } = socket;
        await target.emit({ event: 'e', args: [1], rooms: ['real'] });
        await sioEvent(socket, 'e');
        await sleep(100); // so that a polling client is waiting again
        proxy.refusing = true;
        const gone = sioOnce(socket, 'disconnect');
        proxy.cut();
        await gone;
        await sleep(100);
        await target.emit({ event: 'e', args: [2], rooms: ['real'] });
        proxy.refusing = false;
        await sioBack(socket);
        assert.equal(socket.recovered, true);
        assert.equal(socket.id, id);
        await sioEvent(socket, 'e', { test: (n) => n === 2 });
        assert.deepEqual(socket.seen.map(([, n]) => n), [1, 2]);
      });
    }

    it('R14: a volatile event does not spoil the next recovery', kOurs, async () => {
      const socket = await sioConnected(target, { port: proxy.port, transports: ['websocket'] });
      await target.emit({ event: 'e', args: [1], sockets: [socket.id] });
      await sioEvent(socket, 'e');
      await target.emit({ event: 'v', args: ['text'], sockets: [socket.id], volatile: true });
      await sioEvent(socket, 'v');
      proxy.cut();
      await sioOnce(socket, 'disconnect');
      await sioBack(socket);
      assert.equal(socket.recovered, true);
    });

    it('recovers without having seen an event', kOurs, async () => {
      const socket = await sioConnected(target, { port: proxy.port });
      await sioSubscribe(socket, 'quiet');
      proxy.cut();
      await sioOnce(socket, 'disconnect');
      await target.emit({ event: 'e', args: [1], rooms: ['quiet'] });
      await sioBack(socket);
      assert.equal(socket.recovered, true);
      await sioEvent(socket, 'e');
    });

    it('recovers while the server still believes in its lost connection', kOurs, async () => {
      const socket = await sioConnected(target, { port: proxy.port, transports: ['websocket'] });
      await sioSubscribe(socket, 'lost');
      const { id } = socket;
      proxy.lose();
      await sioOnce(socket, 'disconnect');
      await target.emit({ event: 'e', args: [1], rooms: ['lost'] });
      await sioBack(socket);
      assert.equal(socket.recovered, true);
      assert.equal(socket.id, id);
      await sioEvent(socket, 'e');
    });

    it('misses nothing and sees nothing twice, however often the connection breaks', { skip: kReference }, async () => {
      const socket = await sioConnected(target, { port: proxy.port });
      await sioSubscribe(socket, 'steady');
      const count = 400;
      const publishing = (async () => {
        for (let i = 0; i < count; ++i) {
          await target.emit({ event: 'e', args: [i], rooms: ['steady'] });
          await sleep(5);
        }
      })();
      let published = false;
      publishing.finally(() => {
        published = true;
      });
      let breaks = 0;
      while (!published) {
        await sleep(150);
        if (!socket.connected) continue;
        proxy[breaks++ % 2 === 0 ? 'cut' : 'lose']();
        await eventually(() => !socket.connected, 'the break');
        await sioBack(socket);
        assert.equal(socket.recovered, true, `break ${breaks}`);
      }
      await publishing;
      await sioEvent(socket, 'e', { test: (n) => n === count - 1 });
      assert.deepEqual(socket.seen.map(([, n]) => n), Array.from({ length: count }, (_, i) => i));
    });
  });
});
