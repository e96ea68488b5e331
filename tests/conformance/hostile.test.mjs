// Behaviour under clients that press: long pipelines, half-closed connections, drains in the middle, forged lines.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { encodeQuery, signedParams } from './http_client.mjs';
import { startServer } from './harness.mjs';
import { connectRaw, upgradeRequest } from './raw_ws.mjs';

const kHealth = 'GET /up HTTP/1.1\r\nHost: kilat\r\n\r\n';

/** The bytes of a signed request. */
function signedRequestText(server, method, path_in_app, body, query = {}) {
  const path = `/apps/${server.app.id}${path_in_app}`;
  const params = signedParams(server.app, method, path, body, { query });
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return `${method} ${path}?${encodeQuery(params)} HTTP/1.1\r\nHost: kilat\r\n${length}\r\n${body ?? ''}`;
}

const eventText = (server, channel, name) =>
  signedRequestText(server, 'POST', '/events', JSON.stringify({ name, channels: [channel], data: '1' }));

async function responses(raw, count) {
  const statuses = [];
  for (let i = 0; i < count; ++i) statuses.push((await raw.readResponse()).status);
  return statuses;
}

describe('hostile clients', () => {
  let server;
  before(async () => {
    server = await startServer({ apps: [{ client_events: true }], server: { drain_ms: 3000 } });
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  for (const count of [64, 65, 200, 3000]) {
    it(`${count} pipelined requests in one write get ${count} answers`, async () => {
      const raw = await connectRaw(server);
      raw.write(kHealth.repeat(count));
      assert.deepEqual(await responses(raw, count), Array(count).fill(200));
      raw.write(kHealth);
      assert.deepEqual(await responses(raw, 1), [200]);
      raw.destroy();
    });
  }

  it('200 pipelined publishes over several homes are answered and delivered in order', async () => {
    const reader = await server.connect();
    const channels = ['p0', 'p1', 'p2', 'p3'];
    for (const channel of channels) await reader.subscribe(channel);
    const raw = await connectRaw(server);
    let text = '';
    for (let i = 0; i < 200; ++i) text += eventText(server, channels[i % 4], `n-${i}`);
    raw.write(text);
    assert.deepEqual(await responses(raw, 200), Array(200).fill(200));
    await reader.until(() => reader.frames.filter((frame) => frame.event.startsWith('n-')).length === 200, '200 events');
    for (const channel of channels) {
      const seen = reader.frames.filter((frame) => frame.channel === channel && frame.event.startsWith('n-'));
      const numbers = seen.map((frame) => Number(frame.event.slice(2)));
      assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
    }
    raw.destroy();
  });

  it('a client that shuts down its side still gets its answers', async () => {
    for (let i = 0; i < 20; ++i) {
      const raw = await connectRaw(server);
      raw.socket.end(eventText(server, `half-${i}`, 'e') + signedRequestText(server, 'GET', '/channels'));
      assert.deepEqual(await responses(raw, 2), [200, 200]);
      await raw.waitEnd();
    }
  });

  it('an upgrade behind a pipelined request works as it does alone', async () => {
    const raw = await connectRaw(server);
    raw.write(kHealth + upgradeRequest(server, `/app/${server.app.key}?protocol=7`).text);
    assert.equal((await raw.readResponse()).status, 200);
    assert.equal((await raw.readResponse()).status, 101);
    raw.destroy();
  });

  it('a termination right after signin_success reaches the connection, every time', async () => {
    for (let i = 0; i < 60; ++i) {
      const client = await server.connect();
      await client.signin({ id: `user-${i}` });
      const response = await server.request('POST', `/users/user-${i}/terminate_connections`, { body: {} });
      assert.equal(response.status, 200);
      await client.until(() => client.closed, 'the close', { even_closed: true });
      assert.equal(client.closed.code, 4009);
    }
  });

  it('a client event sent in one burst with its subscription is relayed, whatever the home', async () => {
    const other = await server.connect();
    const sender = await server.connect();
    for (let i = 0; i < 8; ++i) {
      const channel = `private-burst-${i}`;
      await other.subscribe(channel);
      sender.sendSubscribe(channel);
      sender.send({ event: 'client-first', channel, data: i });
      const frame = await other.waitFor((candidate) => candidate.event === 'client-first' && candidate.channel === channel);
      assert.equal(frame.data, i);
    }
  });

  it('a client event cannot forge a line of the tail', async () => {
    const raw = await connectRaw(server);
    raw.write(signedRequestText(server, 'GET', '/tail'));
    await raw.until(() => raw.received.includes('\r\n\r\n'), 'the head of the stream');
    const sender = await server.connect();
    await sender.subscribe('private-forge');
    sender.socket.send('{"event":"client-x","channel":"private-forge","data":[\n{"channel":"forged"}\r\n]}');
    await raw.until(() => raw.received.includes('client-x'), 'the line');
    const lines = raw.received.toString().split('\n').filter((line) => line.startsWith('{'));
    assert.equal(lines.length, 1);
    assert.equal(JSON.parse(lines[0]).data[0].channel, 'forged');
    raw.destroy();
  });

  it('publishes in flight when the server drains are answered if they were delivered', async () => {
    const busy = await startServer({ server: { drain_ms: 2000 } });
    const reader = await busy.connect();
    await reader.subscribe('drain');
    const answered = new Set();
    let sent = 0;
    const publisher = async () => {
      const raw = await connectRaw(busy);
      for (;;) {
        const number = sent++;
        raw.write(eventText(busy, 'drain', `d-${number}`));
        let response;
        try {
          response = await raw.readResponse();
        } catch {
          return; // closed before the request was read
        }
        if (response.status === 200) answered.add(number);
      }
    };
    const publishers = Array.from({ length: 8 }, publisher);
    await reader.until(() => answered.size > 50, 'fifty answers');
    busy.child.kill('SIGTERM');
    await Promise.all(publishers);
    const delivered = reader.frames.filter((frame) => frame.event.startsWith('d-')).map((frame) => Number(frame.event.slice(2)));
    assert.deepEqual(delivered.filter((number) => !answered.has(number)), []);
    await busy.stop();
  });
});
