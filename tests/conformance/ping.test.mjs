// Cases 13-19: liveness.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectClose } from './asserts.mjs';
import { assertRow, startServer } from './harness.mjs';
import { connectRawPusher, kOpcode } from './raw_ws.mjs';

// `patient` waits longer for a pong than `quick`, so that a slow machine does not close clients that do answer; six
// rounds of one second outlast its three seconds, so a pong that did not count would show.
const kRounds = 6;

describe('ping', () => {
  let server;
  before(async () => {
    server = await startServer({
      apps: [
        {},
        { id: 'quick', key: 'quick-key', activity_timeout_s: 1, pong_timeout_ms: 500 },
        { id: 'patient', key: 'patient-key', activity_timeout_s: 1, pong_timeout_ms: 3000 },
      ],
    });
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  const app = (id) => server.apps.find((candidate) => candidate.id === id);
  const pings = (client) => client.control_pings + client.all('pusher:ping').length;

  it('case 13: pusher:ping is answered with pusher:pong and an empty object', async () => {
    const client = await server.connect();
    const pong = await client.ping();
    assert.deepEqual(pong.data, {});
  });

  for (const [name, message] of [
    ['no data', { event: 'pusher:ping' }],
    ['data "{}"', { event: 'pusher:ping', data: '{}' }],
    ['data ""', { event: 'pusher:ping', data: '' }],
  ]) {
    it(`case 14: pusher:ping with ${name} is answered`, async () => {
      const client = await server.connect();
      client.send(message);
      await client.waitFor('pusher:pong');
      assert.deepEqual(client.all('pusher:error'), []);
    });
  }

  it('case 15: a WebSocket ping is answered with its payload', async () => {
    const raw = await connectRawPusher(server);
    raw.sendFrame(kOpcode.ping, 'x');
    const frame = await raw.readFrame();
    assert.equal(frame.opcode, kOpcode.pong);
    assert.equal(frame.payload.toString(), 'x');
    raw.destroy();
  });

  it('case 16: a silent client is pinged, then closed with 4201', async () => {
    assertRow('pong_timeout', { closeCode: 4201, pusherCode: 4201 });
    const client = await server.connect({ key: 'quick-key', app: app('quick'), autoPong: false });
    assert.equal(JSON.parse(client.frames[0].data).activity_timeout, 1);
    await client.subscribe('case-16');
    await expectClose(client, 'pong_timeout');
    assert.ok(pings(client) >= 1, 'it was pinged before');
  });

  it('case 17: a client that answers with WebSocket pongs is not closed', async () => {
    const client = await server.connect({ key: 'patient-key', app: app('patient') });
    await client.subscribe('case-17');
    await client.until(() => pings(client) >= kRounds, `${kRounds} pings`);
    assert.equal(client.closed, null);
    await client.ping();
  });

  for (const protocol of ['6', '7']) {
    it(`case 17: a client of protocol ${protocol} that answers with pusher:pong is not closed`, async () => {
      const client = await server.connect({
        key: 'patient-key',
        app: app('patient'),
        autoPong: false,
        protocol,
      });
      const answer = () => client.send({ event: 'pusher:pong', data: {} });
      client.socket.on('ping', answer);
      client.socket.on('message', (data) => {
        if (JSON.parse(data.toString()).event === 'pusher:ping') answer();
      });
      await client.until(() => pings(client) >= kRounds, `${kRounds} pings`);
      if (protocol === '6') assert.ok(client.all('pusher:ping').length > 0, 'old clients get pusher:ping');
      assert.equal(client.closed, null);
      await client.ping();
    });
  }

  it('case 18: a client that never subscribed is pinged and closed as well', async () => {
    const client = await server.connect({ key: 'quick-key', app: app('quick'), autoPong: false });
    await expectClose(client, 'pong_timeout');
    assert.ok(pings(client) >= 1, 'it was pinged before');
  });

  it('case 19: a client that only receives and answers pings stays', async () => {
    const patient = app('patient');
    const client = await server.connect({ key: 'patient-key', app: patient });
    await client.subscribe('case-19');
    let sent = 0;
    while (pings(client) < kRounds) {
      const body = { name: 'tick', channels: ['case-19'], data: String(++sent) };
      const response = await server.request('POST', '/events', { app: patient, body });
      assert.equal(response.status, 200, response.text);
      await client.waitFor((frame) => frame.event === 'tick' && frame.data === String(sent));
    }
    assert.equal(client.closed, null);
    assert.equal(client.all('tick').length, sent);
  });
});
