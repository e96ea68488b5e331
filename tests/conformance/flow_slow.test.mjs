// Readers that stop reading while a conflating channel goes on: they are not closed, end with the newest of every key and
// hear exactly how many events they missed; past the hard limit they are closed.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { assertRow, eventually, startServer } from './harness.mjs';
import { get } from './plain_get.mjs';
import { connectRawPusher } from './raw_ws.mjs';
import { connected, disconnectAll, pusherJs, subscribed } from './sdk_clients.mjs';
import { dropSessions, openSession, parsePacket } from './sio_session.mjs';
import { startTarget } from './sio_target.mjs';

const kKeys = 100;
const kRounds = 60;
/** With this the rounds are more than what the kernel keeps for a reader who does not read. */
const kPadding = 'x'.repeat(3_000);

describe('readers that fall behind', () => {
  let target;
  let server;
  before(async () => {
    target = await startTarget({
      apps: [{ flow: ['live conflate=20ms key=/id', 'wide conflate=20ms key=/id'], batch_max: kKeys }],
      server: { shards: 2 },
      limits: { outbox_bytes_max: 2 * 1024 * 1024, outbox_soft_bytes: 256 * 1024, outbox_soft_ms: 1_000 },
      metrics: { listen: '127.0.0.1:0' },
      socketio: { ping_interval_ms: 120_000 },
    });
    server = target.server;
  });
  after(async () => {
    disconnectAll();
    await dropSessions();
    await target?.stop();
  });

  /** The sum of the samples of a metric whose labels contain `label`. */
  async function figure(name, label = '', of = server) {
    const { text } = await get(of.metrics_port, '/metrics');
    const samples = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(label));
    return samples.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  /** Sends the keys once, and waits until the rule has sent them on. */
  async function round(number, of = server) {
    const batch = Array.from({ length: kKeys }, (_, key) => ({
      name: 'value', channel: 'live', data: JSON.stringify({ id: `k${key}`, v: number, p: kPadding }),
    }));
    const response = await of.request('POST', '/batch_events', { body: { batch } });
    assert.equal(response.status, 200, response.text);
    const done = async () => (await figure('kilat_flow_events_total', 'rule="1",result="sent"', of))
      + (await figure('kilat_flow_events_total', 'rule="1",result="folded"', of)) === number * kKeys;
    await eventually(done, 'the end of the interval');
  }

  /** What one reader has of the channel; take() is called with each event. */
  class Account {
    constructor(name) {
      this.name = name;
      this.got = 0;
      this.missed = 0;
      this.newest = new Map();
    }

    take(event, data) {
      if (event === 'kilat:missed') {
        assert.ok(data.missed > 0);
        this.missed += data.missed;
      } else if (event === 'value') {
        ++this.got;
        assert.ok((this.newest.get(data.id) ?? 0) < data.v, `${this.name}: ${data.id} goes back to ${data.v}`);
        this.newest.set(data.id, data.v);
      }
    }
  }

  async function rawPusher(channel, of = server) {
    const raw = await connectRawPusher(of);
    raw.sendEvent({ event: 'pusher:subscribe', data: { channel } });
    assert.equal((await raw.readEvent()).event, 'pusher_internal:subscription_succeeded');
    raw.socket.pause();
    const account = new Account('raw');
    const resume = async (done) => {
      raw.socket.resume();
      while (!done(account)) {
        const { event, channel: of, data } = await raw.readEvent();
        if (of === undefined) continue;
        assert.equal(of, channel);
        account.take(event, JSON.parse(data));
      }
      raw.sendEvent({ event: 'pusher:ping', data: {} });
      assert.equal((await raw.readEvent()).event, 'pusher:pong');
    };
    return { raw, resume };
  }

  async function stockPusher() {
    const client = pusherJs(server);
    await connected(client);
    const [channel] = await subscribed(client, 'live');
    const account = new Account('pusher-js');
    channel.bind_global((event, data) => account.take(event, data));
    const { socket } = client.connection.connection.transport;
    socket.pause();
    return {
      resume: async (done) => {
        socket.resume();
        await eventually(() => done(account), 'pusher-js to catch up');
        assert.equal(client.connection.state, 'connected');
      },
    };
  }

  async function socketIo(transport) {
    const session = await openSession(target, transport);
    await session.connect();
    await session.subscribe('live');
    if (transport === 'websocket') session.raw.socket.pause();
    const account = new Account(transport);
    return {
      resume: async (done) => {
        if (transport === 'websocket') session.raw.socket.resume();
        while (!done(account)) {
          const { type, data: [event, data] } = parsePacket(await session.next());
          assert.equal(type, 2);
          if (event === 'kilat:missed') assert.equal(data.channel, 'live');
          account.take(event, data);
        }
        session.drop();
      },
    };
  }

  it('are not closed, end with the newest of every key, and hear how many events they missed', async () => {
    const readers = [await rawPusher('live'), await stockPusher(), await socketIo('websocket'), await socketIo('polling')];
    for (let number = 1; number <= kRounds; ++number) await round(number);
    const sent = await figure('kilat_flow_events_total', 'rule="1",result="sent"');
    assert.ok(sent > kKeys * kRounds / 2, `${sent} events`);
    const conflated = await figure('kilat_conflated_total');
    const closed = server.closedReasons().filter((reason) => reason.startsWith('slow_consumer'));
    assert.deepEqual(closed, []);
    let missed = 0;
    for (const { resume } of readers) {
      await resume((account) => {
        if (account.got + account.missed < sent) return false;
        assert.equal(account.got + account.missed, sent, account.name);
        assert.ok(account.missed > 0, `${account.name} was behind`);
        assert.equal(account.newest.size, kKeys);
        assert.ok([...account.newest.values()].every((v) => v === kRounds), `${account.name} has the newest of each key`);
        missed += account.missed;
        return true;
      });
    }
    assert.equal(missed, conflated);
  });

  it('get what waits before the goodbye when the server stops', async () => {
    const own = await startServer({
      apps: [{ flow: ['live conflate=20ms key=/id'], batch_max: kKeys }],
      server: { drain_ms: 10_000 },
      limits: { outbox_bytes_max: 4 * 1024 * 1024, outbox_soft_ms: 60_000 },
      metrics: { listen: '127.0.0.1:0' },
    });
    try {
      const { raw } = await rawPusher('live', own);
      for (let number = 1; number <= kRounds; ++number) await round(number, own);
      const sent = await figure('kilat_flow_events_total', 'rule="1",result="sent"', own);
      const waiting = await figure('kilat_conflated_total', '', own);
      assert.ok(waiting > 0);
      own.child.kill('SIGTERM');
      await own.waitForLog((entry) => entry.event === 'draining');
      raw.socket.resume();
      const { code, events } = await raw.readClose();
      assert.equal(code, 4200);
      const account = new Account('raw');
      for (const { event, channel, data } of events) if (channel === 'live') account.take(event, JSON.parse(data));
      assert.equal(account.got + account.missed, sent);
      assert.equal(account.missed, waiting);
      assert.ok([...account.newest.values()].every((v) => v === kRounds));
      await own.stop();
    } catch (error) {
      await own.kill9();
      throw error;
    }
  });

  it('are closed past the hard limit', async () => {
    assertRow('slow_consumer', { closeCode: 4100, pusherCode: 4100 });
    const { raw } = await rawPusher('wide');
    const isClosed = () => server.logs.some(({ event, socket_id }) => event === 'connection_closed' && socket_id === raw.socket_id);
    const wide = 'x'.repeat(80_000);
    for (let key = 0; key < 500 && !isClosed(); ++key) {
      await server.publish('wide', 'value', JSON.stringify({ id: `k${key}`, p: wide }));
    }
    await server.closeLog(raw.socket_id, 'slow_consumer');
    raw.destroy();
  });
});
