// Cases 1-12: the WebSocket handshake and its refusals.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectClose } from './asserts.mjs';
import { assertRow, eventually, startServer } from './harness.mjs';
import { acceptKey, upgrade } from './raw_ws.mjs';
import { socketPath } from './ws_client.mjs';

/** Connects where a refusal is due, checks the error, the close and the row. */
async function refused(server, options, id, codes, expectations = {}) {
  assertRow(id, codes);
  const since = server.logs.length;
  const client = await server.connect({ established: false, ...options });
  assert.equal(client.frames[0].event, 'pusher:error', 'the first frame is the error');
  await expectClose(client, id, { since, ...expectations });
  return client;
}

describe('handshake', () => {
  let server;
  before(async () => {
    server = await startServer({
      apps: [
        {},
        { id: 'off', key: 'off-key', enabled: false },
        { id: 'one', key: 'one-key', max_connections: 1 },
        { id: 'one-retry', key: 'one-retry-key', max_connections: 1, over_quota_code: 4100 },
        { id: 'origins', key: 'origins-key', allowed_origins: ['*.ok.com'] },
      ],
    });
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  it('case 1: the first frame is connection_established with a string of data', async () => {
    const { raw, response, key } = await upgrade(
      server,
      '/app/app-key?protocol=7&client=js&version=8.6.0&flash=false',
    );
    assert.equal(response.status, 101);
    assert.equal(response.headers['sec-websocket-accept'], acceptKey(key));
    assert.equal(response.headers.upgrade.toLowerCase(), 'websocket');
    const frame = await raw.readFrame();
    assert.equal(frame.opcode, 1, 'a text frame');
    assert.equal(frame.masked, false, 'server frames are not masked');
    const welcome = JSON.parse(frame.payload.toString('utf8'));
    assert.equal(welcome.event, 'pusher:connection_established');
    assert.equal(typeof welcome.data, 'string');
    const data = JSON.parse(welcome.data);
    assert.match(data.socket_id, /^\d+\.\d+$/);
    assert.ok(Number.isInteger(data.activity_timeout) && data.activity_timeout > 0);
    raw.destroy();
  });

  it('case 2: connections have different socket ids without leading zeros', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
    const ids = clients.map((client) => client.socket_id);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) assert.match(id, /^(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})$/);
  });

  it('case 3: an unknown key gets pusher:error 4001 and close 4001', async () => {
    await refused(server, { key: 'nope' }, 'app_unknown', { closeCode: 4001, pusherCode: 4001 });
  });

  it('case 4: a disabled app closes with 4003', async () => {
    await refused(server, { key: 'off-key' }, 'app_disabled', { closeCode: 4003, pusherCode: 4003 });
  });

  for (const protocol of ['3', '99']) {
    it(`case 5: protocol ${protocol} closes with 4007`, async () => {
      await refused(server, { protocol }, 'protocol_unsupported', { closeCode: 4007, pusherCode: 4007 });
    });
  }

  it('case 5: protocols 4 to 7 are accepted', async () => {
    for (const protocol of ['4', '5', '6', '7']) await server.connect({ protocol });
  });

  it('case 6: a protocol that is not a number closes with 4006', async () => {
    await refused(server, { protocol: 'abc' }, 'protocol_malformed', { closeCode: 4006, pusherCode: 4006 });
  });

  it('case 7: without protocol and without strict_protocol the client is connected', async () => {
    await server.connect({ protocol: null });
  });

  it('case 8: an upgrade on another path is answered 404', async () => {
    assertRow('http_not_found', { httpStatus: 404 });
    const { raw, response } = await upgrade(server, '/foo');
    assert.equal(response.status, 404);
    assert.equal(JSON.parse(response.body).reason, 'http_not_found');
    await server.refusedLog('http_not_found');
    raw.destroy();
  });

  for (const [key, code, row] of [['one-key', 4004, 'app_over_quota'], ['one-retry-key', 4100, 'app_over_quota_retry']]) {
    it(`case 9: the second connection of a quota of one gets ${code}, the first stays`, async () => {
      const app = server.apps.find((candidate) => candidate.key === key);
      const first = await server.connect({ key, app });
      await refused(server, { key }, row, { closeCode: code, pusherCode: code });
      await first.ping();
      await first.close();
      await eventually(async () => {
        const third = await server.connect({ key, established: false });
        return third.socket_id !== null;
      }, 'a connection after the first has left');
    });
  }

  it('case 11: an unknown subprotocol does no harm', async () => {
    const { raw, response } = await upgrade(server, socketPath(server), { 'Sec-WebSocket-Protocol': 'foo' });
    assert.equal(response.status, 101);
    const welcome = await raw.readEvent();
    assert.equal(welcome.event, 'pusher:connection_established');
    raw.destroy();
  });

  it('case 12: an Origin that matches a pattern is admitted', async () => {
    await server.connect({ key: 'origins-key', headers: { Origin: 'https://a.ok.com' } });
  });

  for (const [name, headers] of [
    ['another Origin', { Origin: 'https://evil.com' }],
    ['an Origin that only ends alike', { Origin: 'https://a.ok.com.evil.com' }],
    ['no Origin', {}],
  ]) {
    it(`case 12: ${name} is closed with 4009`, async () => {
      const codes = { closeCode: 4009, pusherCode: 4009 };
      await refused(server, { key: 'origins-key', headers }, 'origin_refused', codes);
    });
  }
});

describe('handshake, strict_protocol', () => {
  let server;
  before(async () => {
    server = await startServer({ server: { strict_protocol: true } });
  });
  after(() => server?.stop());

  it('case 7: without protocol the connection is closed with 4008', async () => {
    await refused(server, { protocol: null }, 'protocol_missing', { closeCode: 4008, pusherCode: 4008 });
  });

  it('case 7: with protocol 7 the client is connected', async () => {
    await server.connect();
  });
});

describe('handshake, path_prefix', () => {
  let server;
  before(async () => {
    server = await startServer({ server: { path_prefix: '/ws' } });
  });
  after(() => server?.stop());

  it('case 10: below the prefix the client is connected', async () => {
    const client = await server.connect();
    await client.ping();
  });

  it('case 10: without the prefix the upgrade is refused', async () => {
    const { raw, response } = await upgrade(server, '/app/app-key?protocol=7');
    assert.equal(response.status, 404);
    const { reason } = JSON.parse(response.body);
    assert.equal(reason, 'http_not_found');
    assertRow(reason, { httpStatus: 404 });
    raw.destroy();
  });
});
