// History: positions, recovery and rewind over the Pusher protocol, the HTTP API, idempotency keys.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectHttpError } from './asserts.mjs';
import { eventually, startServer } from './harness.mjs';
import { encodeQuery, signedParams } from './http_client.mjs';
import { connectRaw } from './raw_ws.mjs';
import { closeSioClients, kWays, sioCall, sioConnected } from './sio_clients.mjs';

const kHistory = ['news.long bytes=10MiB', 'small size=5', 'brief size=100 age=1s', 'news* size=1000', 'room* size=100', 'quotes size=50'];

describe('history', () => {
  let server;
  before(async () => {
    server = await startServer({
      apps: [{ history: kHistory, idempotency_s: 60, compression: 'shared', client_events: true }],
    });
  });
  after(() => server?.stop());
  afterEach(() => {
    closeSioClients();
    server?.closeClients();
  });

  const succeeded = (frame) => JSON.parse(frame.data);
  const events = (client, channel) => client.frames.filter((f) => f.channel === channel && !f.event.startsWith('pusher'));
  const seen = (client, channel) => events(client, channel).map(({ data, offset }) => [data, offset]);
  async function publishAll(channel, list) {
    for (const data of list) await server.publish(channel, 'e', data);
  }
  /** A position is where the client is after the last event that it has. */
  async function follow(channel, data = { recover: true }) {
    const client = await server.connect();
    const answer = succeeded(await client.subscribe(channel, data));
    return { client, answer };
  }

  it('a client that has not asked sees frames byte for byte as ever', async () => {
    const client = await server.connect();
    const frame = await client.subscribe('news.plain');
    assert.equal(frame.data, '{}');
    await server.publish('news.plain', 'e', 'x');
    await client.waitFor('e');
    assert.equal(client.raw.at(-1), '{"event":"e","channel":"news.plain","data":"x"}');
  });

  it('who asks gets a position, and the offset of each event', async () => {
    const { client, answer } = await follow('news.offsets');
    assert.match(answer.position.epoch, /^[0-9a-f]{8}$/);
    assert.deepEqual(answer, { position: { epoch: answer.position.epoch, offset: 0 } });
    await publishAll('news.offsets', ['a', 'b']);
    await client.barrier('news.offsets');
    assert.deepEqual(seen(client, 'news.offsets').slice(0, 2), [['a', 1], ['b', 2]]);
  });

  it('cut at every point, a client gets exactly the rest, in order, then what is live', async () => {
    const channel = 'news.cuts';
    const { answer } = await follow(channel);
    const texts = Array.from({ length: 12 }, (_, i) => `text ${i}`);
    await publishAll(channel, texts);
    for (let offset = 0; offset <= texts.length; offset++) {
      const { client, answer: back } = await follow(channel, { recover: { epoch: answer.position.epoch, offset } });
      assert.equal(back.recovered, true);
      const head = back.position.offset;
      await client.barrier(channel);
      const got = seen(client, channel);
      assert.deepEqual(got.map(([, at]) => at), Array.from({ length: head + 1 - offset }, (_, i) => offset + 1 + i));
      assert.deepEqual(got.slice(0, Math.max(0, texts.length - offset)).map(([data]) => data), texts.slice(offset));
    }
  });

  it('events published while the client comes back are neither lost nor doubled', async () => {
    const channel = 'news.race';
    const { answer } = await follow(channel);
    const { epoch } = answer.position;
    let published = 0;
    let stop = false;
    const publishing = (async () => {
      while (!stop) await server.publish(channel, 'e', String(++published));
    })();
    let offset = 0;
    for (let round = 0; round < 30; round++) {
      const { client, answer: back } = await follow(channel, { recover: { epoch, offset } });
      assert.equal(back.recovered, true, JSON.stringify(back));
      await client.until(() => events(client, channel).length >= 3, 'three events');
      client.terminate();
      for (const { data, offset: at } of events(client, channel)) {
        offset += 1;
        assert.equal(at, offset);
        assert.equal(data, String(offset));
      }
    }
    stop = true;
    await publishing;
  });

  it('what can not be recovered is said with the reason', async () => {
    const { answer } = await follow('small');
    const { epoch } = answer.position;
    await publishAll('small', ['1', '2', '3', '4', '5', '6', '7']);
    const ask = async (recover) => (await follow('small', { recover })).answer;
    assert.deepEqual(await ask({ epoch, offset: 2 }), { position: { epoch, offset: 7 }, recovered: true });
    assert.deepEqual(await ask({ epoch, offset: 1 }), { position: { epoch, offset: 7 }, recovered: false, reason: 'history_expired' });
    assert.equal((await ask({ epoch: '00000001', offset: 7 })).reason, 'history_epoch');
    assert.equal((await ask({ epoch, offset: 8 })).reason, 'history_epoch');
    assert.equal((await ask({ epoch: 5, offset: 'x' })).reason, 'history_epoch');
    assert.equal((await ask({})).reason, 'history_epoch');
    const { answer: off } = await follow('elsewhere', { recover: { epoch, offset: 1 } });
    assert.deepEqual(off, { recovered: false, reason: 'history_off' });
    const { client, answer: nothing } = await follow('elsewhere', { recover: true });
    assert.deepEqual(nothing, {});
    await server.publish('elsewhere', 'e', 'x');
    await client.waitFor('e');
    assert.equal(client.raw.at(-1), '{"event":"e","channel":"elsewhere","data":"x"}');
  });

  it('more than fits into an answer is refused, and can be read in pages', async () => {
    const { answer } = await follow('news.long');
    const big = 'x'.repeat(90_000);
    for (let i = 0; i < 8; i++) await server.publish('news.long', 'e', big);
    const { answer: back } = await follow('news.long', { recover: answer.position });
    assert.equal(back.reason, 'history_too_long');
    const { answer: short } = await follow('news.long', { recover: { ...answer.position, offset: 5 } });
    assert.equal(short.recovered, true);
    let after = 0;
    for (let pages = 1; ; pages++) {
      const { json } = await server.request('GET', '/channels/news.long/history', { query: { after } });
      for (const event of json.events) assert.equal(event.offset, ++after);
      if (!json.more) break;
      assert.ok(pages < 8);
    }
    assert.equal(after, 8);
  });

  it('rewind gives the last events by count or by seconds', async () => {
    await publishAll('news.rewind', ['a', 'b', 'c']);
    const byCount = await follow('news.rewind', { rewind: { count: 2 } });
    assert.equal(byCount.answer.position.offset, 3);
    await byCount.client.barrier('news.rewind');
    assert.deepEqual(seen(byCount.client, 'news.rewind').slice(0, 2), [['b', 2], ['c', 3]]);
    const bySeconds = await follow('news.rewind', { rewind: { seconds: 60 } });
    await bySeconds.client.barrier('news.rewind');
    assert.deepEqual(seen(bySeconds.client, 'news.rewind').slice(0, 3), [['a', 1], ['b', 2], ['c', 3]]);
    assert.equal('recovered' in bySeconds.answer, false);
  });

  it('events end with their age, the position does not', async () => {
    const { client, answer } = await follow('brief');
    await publishAll('brief', ['a']);
    await client.waitFor('e');
    await new Promise((resolve) => { setTimeout(resolve, 1500); });
    const { answer: back } = await follow('brief', { recover: { ...answer.position, offset: 1 } });
    assert.deepEqual(back, { position: { ...answer.position, offset: 1 }, recovered: true });
    const { answer: late } = await follow('brief', { recover: answer.position });
    assert.equal(late.reason, 'history_expired');
  });

  it('a presence channel has members and a position; its members have no offsets', async () => {
    const client = await server.connect();
    const frame = await client.subscribe('presence-room', { channel_data: '{"user_id":"1"}', recover: true });
    const answer = succeeded(frame);
    assert.equal(answer.presence.count, 1);
    assert.equal(answer.position.offset, 0);
    const other = await server.connect();
    await other.join('presence-room', '2');
    const added = await client.waitFor('pusher_internal:member_added');
    assert.equal('offset' in added, false);
    other.trigger('client-hello', 'presence-room', { a: 1 });
    const hello = await client.waitFor('client-hello');
    assert.deepEqual([hello.offset, hello.user_id, hello.data], [1, '2', { a: 1 }]);
  });

  it('on a cache channel the past takes the place of the last event', async () => {
    const server_channel = 'cache-quotes';
    const { client, answer } = await follow(server_channel);
    await client.waitFor('pusher:cache_miss');
    await publishAll(server_channel, ['1', '2', '3']);
    const back = await follow(server_channel, { recover: { ...answer.position, offset: 1 } });
    await back.client.barrier(server_channel);
    assert.deepEqual(seen(back.client, server_channel).slice(0, 2), [['2', 2], ['3', 3]]);
    assert.equal(back.client.all('pusher:cache_miss').length, 0);
    const fresh = await follow(server_channel);
    await fresh.client.until(() => events(fresh.client, server_channel).length === 1, 'the last event');
    assert.equal(events(fresh.client, server_channel)[0].offset, 4);
  });

  it('on a cache channel a socket.io client has the last event once, with its past or alone', async () => {
    const channel = 'cache-room-sio';
    const target = { host: server.host, port: server.port, path: '/socket.io/' };
    await publishAll(channel, ['1', '2', '3']);
    const offsets = async (request) => {
      const socket = await sioConnected(target, { transports: ['websocket'], forceNew: true });
      const answer = await sioCall(socket, 'subscribe', { channel, ...request });
      assert.equal(answer.ok, true, JSON.stringify(answer));
      await publishAll(channel, ['mark']);
      const last = answer.position.offset + 1;
      const all = () => socket.seen.map((event) => event.at(-1).offset).filter((offset) => offset !== undefined);
      await eventually(() => all().includes(last), 'the mark');
      return [all().slice(0, -1), answer.position];
    };
    const [rewound, position] = await offsets({ rewind: { count: 2 } });
    assert.deepEqual(rewound, [2, 3]);
    const [missed] = await offsets({ recover: { ...position, offset: 3 } });
    assert.deepEqual(missed, [4]);
    const [nothing] = await offsets({ recover: { ...position, offset: 5 } });
    assert.deepEqual(nothing, []);
    const [fresh] = await offsets({ recover: true });
    assert.deepEqual(fresh, [6]);
  });

  it('compressed connections get the same', async () => {
    const client = await server.connect({ perMessageDeflate: true });
    await client.subscribe('news.deflate', { recover: true });
    const text = 'again and '.repeat(50);
    await server.publish('news.deflate', 'e', text);
    const frame = await client.waitFor('e');
    assert.deepEqual([frame.data, frame.offset], [text, 1]);
  });

  it('GET history pages by offset and time, both ways', async () => {
    const channel = 'news.pages';
    await publishAll(channel, ['a', 'b', 'c', 'd', 'e']);
    const get = async (query) => (await server.request('GET', `/channels/${channel}/history`, { query })).json;
    const all = await get({});
    assert.deepEqual(all.events.map(({ offset, event, data }) => [offset, event, data]),
      [[1, 'e', 'a'], [2, 'e', 'b'], [3, 'e', 'c'], [4, 'e', 'd'], [5, 'e', 'e']]);
    assert.deepEqual([all.offset, all.oldest, all.more], [5, 1, false]);
    const offsets = async (query) => (await get(query)).events.map(({ offset }) => offset);
    assert.deepEqual(await offsets({ limit: 2 }), [1, 2]);
    assert.equal((await get({ limit: 2 })).more, true);
    assert.deepEqual(await offsets({ limit: 2, after: 2 }), [3, 4]);
    assert.deepEqual(await offsets({ order: 'newest', limit: 2 }), [5, 4]);
    assert.deepEqual(await offsets({ order: 'newest', before: 3 }), [2, 1]);
    const { time } = all.events[2];
    assert.ok(Math.abs(time - Date.now()) < 60_000);
    assert.ok((await offsets({ from: time })).includes(3));
    assert.ok(!(await offsets({ to: time })).includes(3));
    assert.deepEqual(await offsets({ epoch: all.epoch, after: 4 }), [5]);
    await expectHttpError(server, await server.request('GET', `/channels/${channel}/history`, { query: { epoch: '12345678' } }), 'history_epoch');
    await expectHttpError(server, await server.request('GET', '/channels/elsewhere/history'), 'history_off');
    const untouched = (await server.request('GET', '/channels/news.untouched/history')).json;
    assert.deepEqual(untouched, { epoch: null, offset: 0, oldest: 0, events: [], more: false });
    for (const query of [{ limit: 0 }, { limit: 1001 }, { after: 'x' }, { order: 'sideways' }, { from: '-1' }]) {
      await expectHttpError(server, await server.request('GET', `/channels/${channel}/history`, { query }), 'api_parameter_invalid');
    }
  });

  it('a client that sends its questions ahead gets every page, however large they are together', async () => {
    const channel = 'news.long-pages';
    for (let i = 0; i < 20; i++) await server.publish(channel, 'e', 'x'.repeat(7_000));
    const path = `/apps/${server.app.id}/channels/${channel}/history`;
    const question = `GET ${path}?${encodeQuery(signedParams(server.app, 'GET', path))} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const raw = await connectRaw(server);
    raw.write(question.repeat(100));
    for (let i = 0; i < 100; i++) {
      const page = await raw.readResponse();
      assert.equal(page.status, 200);
      assert.equal(JSON.parse(page.body).events.length, 20);
    }
    raw.destroy();
  });

  it('a publish answers with the position when asked', async () => {
    const answer = await server.publish(['news.where', 'elsewhere'], 'e', 'x', { info: 'position' });
    assert.equal(answer.channels['news.where'].position.offset, 1);
    assert.equal(answer.channels.elsewhere.position, null);
    const { answer: at } = await follow('news.where');
    assert.deepEqual(at.position, answer.channels['news.where'].position);
  });

  for (const [way, transports] of Object.entries(kWays)) {
    it(`socket.io clients get positions, what they missed, and rewind (${way})`, async () => {
      const channel = `news.sio-${way}`;
      const target = { host: server.host, port: server.port, path: '/socket.io/' };
      const open = async (argument) => {
        const socket = await sioConnected(target, { transports, forceNew: true });
        const got = [];
        socket.on('e', (...list) => got.push(list));
        const answer = await sioCall(socket, 'subscribe', { channel, ...argument });
        return { socket, got, answer };
      };
      const first = await open({ recover: true });
      assert.deepEqual(first.answer, { ok: true, position: { epoch: first.answer.position.epoch, offset: 0 } });
      const plain = await open({});
      assert.deepEqual(plain.answer, { ok: true });
      await publishAll(channel, ['1', '2', '3']);
      await eventually(() => first.got.length === 3 && plain.got.length === 3, 'three events');
      assert.deepEqual(first.got, [1, 2, 3].map((i) => [i, { channel, offset: i }]));
      assert.deepEqual(plain.got, [[1], [2], [3]]);
      const back = await open({ recover: { ...first.answer.position, offset: 1 } });
      assert.deepEqual(back.answer, { ok: true, position: { ...first.answer.position, offset: 3 }, recovered: true });
      await publishAll(channel, ['4']);
      await eventually(() => back.got.length === 3, 'what was missed, and what is live');
      assert.deepEqual(back.got, [2, 3, 4].map((i) => [i, { channel, offset: i }]));
      const lost = await open({ recover: { epoch: '00000001', offset: 1 } });
      assert.equal(lost.answer.reason, 'history_epoch');
      const rewound = await open({ rewind: { count: 2 } });
      await eventually(() => rewound.got.length === 2, 'the last two');
      assert.deepEqual(rewound.got.map(([data]) => data), [3, 4]);
    });
  }

  it('the same idempotency key publishes once and is answered the same', async () => {
    const channels = ['news.once', 'unkept'];
    const client = await server.connect();
    for (const channel of channels) await client.subscribe(channel);
    const body = { name: 'e', channels, data: 'x', info: 'position', idempotency_key: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 5 }, () => server.request('POST', '/events', { body })));
    for (const { status, text } of answers) assert.deepEqual([status, text], [200, answers[0].text]);
    const header = { name: 'f', channels, data: 'y' };
    const headers = { 'Idempotency-Key': randomUUID() };
    for (let i = 0; i < 3; i++) await server.request('POST', '/events', { body: header, headers });
    const batch = { batch: [{ name: 'g', channel: 'news.once', data: '1' }, { name: 'g', channel: 'news.once', data: '2' }] };
    for (let i = 0; i < 2; i++) await server.request('POST', '/batch_events', { body: batch, headers: { 'Idempotency-Key': 'batch' } });
    for (const channel of channels) await client.barrier(channel);
    for (const channel of channels) {
      assert.equal(client.all('e', channel).length, 1);
      assert.equal(client.all('f', channel).length, 1);
    }
    assert.deepEqual(client.all('g', 'news.once').map(({ data }) => data), ['1', '2']);
    for (const idempotency_key of ['', 'x'.repeat(129), 77, true, ['k'], {}]) {
      await expectHttpError(server, await server.request('POST', '/events', { body: { ...body, idempotency_key } }), 'api_idempotency_key_invalid');
    }
  });
});
