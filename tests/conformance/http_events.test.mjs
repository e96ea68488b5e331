// Cases 85-92: POST /apps/{id}/events.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectHttpError } from './asserts.mjs';
import { assertRow, startServer } from './harness.mjs';

const kEventBytesMax = 10_240;

describe('http_events', () => {
  let server;
  before(async () => {
    server = await startServer({ apps: [{ event_bytes_max: kEventBytesMax }] });
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  const post = (body) => server.request('POST', '/events', { body });

  async function assertRefused(body, id, status) {
    const reason = await expectHttpError(server, await post(body), id);
    assertRow(reason, { httpStatus: status });
  }

  it('case 85: the data string arrives as it was', async () => {
    const client = await server.connect();
    await client.subscribe('case-85');
    const response = await post({ name: 'e', channel: 'case-85', data: '{"a":1}' });
    assert.equal(response.status, 200);
    assert.deepEqual(response.json, {});
    assert.match(response.headers['content-type'], /^application\/json/);
    const frame = await client.waitFor('e');
    assert.deepEqual(frame, { event: 'e', channel: 'case-85', data: '{"a":1}' });
  });

  it('case 85: data that is not a string is made one, once', async () => {
    const client = await server.connect();
    await client.subscribe('case-85b');
    for (const data of [{ a: 1, b: [null, 'é'] }, [1, 2], 5, true]) {
      const from = client.frames.length;
      await server.publish('case-85b', 'e', data);
      const frame = await client.waitFor('e', { from });
      assert.equal(typeof frame.data, 'string');
      assert.deepEqual(JSON.parse(frame.data), data);
    }
  });

  it('case 86: three channels, two of them subscribed, give one frame each', async () => {
    const client = await server.connect();
    await client.subscribe('case-86-a');
    await client.subscribe('case-86-b');
    await server.publish(['case-86-a', 'case-86-b', 'case-86-c'], 'e', '1');
    for (const channel of ['case-86-a', 'case-86-b']) await client.barrier(channel);
    assert.deepEqual(client.all('e').map((frame) => frame.channel).sort(), ['case-86-a', 'case-86-b']);
  });

  it('case 86: a channel named twice, or in both channel and channels, gets one frame', async () => {
    const client = await server.connect();
    await client.subscribe('case-86-d');
    await server.publish(['case-86-d', 'case-86-d'], 'e', '1', { channel: 'case-86-d' });
    await client.barrier('case-86-d');
    assert.equal(client.all('e').length, 1);
  });

  it('case 87: the socket named in socket_id does not get it, all others do', async () => {
    // Several sockets, so that some are on other shards than the one left out.
    const clients = await Promise.all(Array.from({ length: 6 }, () => server.connect()));
    for (const client of clients) await client.subscribe('case-87');
    for (const [i, left_out] of clients.entries()) {
      const name = `e-${i}`;
      await server.api().trigger('case-87', name, { i }, { socket_id: left_out.socket_id });
      for (const client of clients) await client.barrier('case-87');
      for (const client of clients) {
        assert.equal(client.all(name).length, client === left_out ? 0 : 1);
      }
    }
  });

  it('case 88: an unknown socket_id leaves nobody out', async () => {
    const client = await server.connect();
    await client.subscribe('case-88');
    await server.publish('case-88', 'e', '1', { socket_id: '1.1' });
    await client.waitFor('e');
  });

  it('case 88: a malformed socket_id is refused with 400', async () => {
    const body = { name: 'e', channel: 'case-88', data: '1', socket_id: 'x' };
    await assertRefused(body, 'api_socket_id_invalid', 400);
  });

  it('case 89: 101 channels are refused with 400, 100 are taken', async () => {
    const channels = Array.from({ length: 101 }, (_, i) => `case-89-${i}`);
    await assertRefused({ name: 'e', data: '1', channels }, 'api_too_many_channels', 400);
    await server.publish(channels.slice(0, 100), 'e', '1');
  });

  it('case 89: a name of 201 characters is refused with 400, one of 200 is taken', async () => {
    await assertRefused({ name: 'n'.repeat(201), channel: 'c', data: '1' }, 'api_event_name_invalid', 400);
    await server.publish('c', 'n'.repeat(200), '1');
  });

  it('case 89: a channel name of 201 characters is refused with 400', async () => {
    await assertRefused({ name: 'e', channel: 'c'.repeat(201), data: '1' }, 'api_channel_invalid', 400);
  });

  it('case 89: data over the limit is refused with 413, data at the limit is taken', async () => {
    const body = { name: 'e', channel: 'case-89', data: 'x'.repeat(kEventBytesMax + 1) };
    await assertRefused(body, 'api_data_too_big', 413);
    const client = await server.connect();
    await client.subscribe('case-89');
    await server.publish('case-89', 'e', 'x'.repeat(kEventBytesMax));
    const frame = await client.waitFor('e');
    assert.equal(frame.data.length, kEventBytesMax);
  });

  const invalid = ['api_body_invalid', 'api_event_name_invalid', 'api_channel_invalid', 'api_parameter_invalid'];
  for (const [name, body] of [
    ['no name', { channel: 'c', data: '1' }],
    ['an empty name', { name: '', channel: 'c', data: '1' }],
    ['a numeric name', { name: 5, channel: 'c', data: '1' }],
    ['no data', { name: 'e', channel: 'c' }],
    ['no channel', { name: 'e', data: '1' }],
    ['no channels in the list', { name: 'e', data: '1', channels: [] }],
    ['a numeric channel', { name: 'e', data: '1', channels: [5] }],
    ['channels that is a string', { name: 'e', data: '1', channels: 'c' }],
    ['the body {', '{'],
    ['the body []', '[]'],
    ['the body null', 'null'],
    ['the body "x"', '"x"'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ]) {
    it(`case 90: ${name} is refused with 400`, async () => {
      await assertRefused(body, invalid, 400);
    });
  }

  it('case 90: an empty body is refused with 400', async () => {
    await assertRefused('', invalid, 400);
  });

  it('case 90: an encrypted channel beside another is refused with 400', async () => {
    const body = { name: 'e', data: '{}', channels: ['private-encrypted-a', 'b'] };
    await assertRefused(body, 'api_encrypted_not_alone', 400);
  });

  for (const data of [
    'hello',
    'é😀 \u2028',
    '</script>',
    'a\u0000b\u0001\u007f',
    '"quoted" \\ back / slash',
    '{"half":',
    '{"\\u00fc":"\\/","n":1.0e2}',
    ' ',
    '',
  ]) {
    it(`case 91: the data ${JSON.stringify(data)} is delivered intact`, async () => {
      const client = await server.connect();
      await client.subscribe('case-91');
      await server.publish('case-91', 'e', data);
      const frame = await client.waitFor('e');
      assert.strictEqual(frame.data, data);
    });
  }

  it('case 91: an event name with quotes and backslashes is delivered intact', async () => {
    const client = await server.connect();
    await client.subscribe('case-91b');
    await server.publish('case-91b', 'App\\Events\\"Näme"', '1');
    await client.waitFor('App\\Events\\"Näme"');
  });

  it('case 92: info returns the counts that fit each channel', async () => {
    const [s1, s2, s3] = await Promise.all([server.connect(), server.connect(), server.connect()]);
    for (const client of [s1, s2]) await client.join('presence-92', '1', {});
    await s3.subscribe('case-92');
    const response = await server.api().trigger(['presence-92', 'case-92'], 'e', { a: 1 }, {
      info: 'user_count,subscription_count',
    });
    const { channels } = await response.json();
    assert.deepEqual(Object.keys(channels).sort(), ['case-92', 'presence-92']);
    assert.equal(channels['presence-92'].user_count, 1);
    assert.equal(channels['case-92'].subscription_count, 1);
    assert.equal('user_count' in channels['case-92'], false);
  });

  it('case 92: a channel without subscribers counts zero', async () => {
    const json = await server.publish('case-92-empty', 'e', '1', { info: 'subscription_count' });
    assert.deepEqual(json, { channels: { 'case-92-empty': { subscription_count: 0 } } });
  });
});
