// Cases 20-26: invalid, unknown, oversized and fragmented messages.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { checkErrorFrame, expectClose, expectError } from './asserts.mjs';
import { assertRow, startServer } from './harness.mjs';
import { connectRawPusher, kOpcode } from './raw_ws.mjs';

const kMessageMax = 16_384;

describe('messages', () => {
  let server;
  before(async () => {
    server = await startServer({ limits: { message_bytes_max: kMessageMax, malformed_per_minute: 10 } });
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  it('case 20: text that is not JSON gets 4200 and the socket stays', async () => {
    assertRow('message_malformed', { pusherCode: 4200, closeCode: 0 });
    const client = await server.connect();
    client.send('not json');
    await expectError(client, 'message_malformed');
    await client.ping();
  });

  it('case 20: more malformed messages a minute than allowed close with 4100', async () => {
    assertRow('too_many_malformed', { closeCode: 4100, pusherCode: 4100 });
    const client = await server.connect();
    for (let i = 0; i < 12; ++i) client.send('not json');
    await expectClose(client, 'too_many_malformed');
  });

  for (const text of ['{"event":5}', '[]', 'null', '{}', '"x"', '5', '', '{"event":"pusher:ping"', '{"data":{}}']) {
    it(`case 21: ${text || 'an empty message'} gets an error and the socket stays usable`, async () => {
      const client = await server.connect();
      client.send(text);
      await expectError(client, 'message_malformed');
      await client.subscribe('case-21');
    });
  }

  for (const text of [
    '{"event":"pusher:subscribe"}',
    '{"event":"pusher:subscribe","data":null}',
    '{"event":"pusher:subscribe","data":{}}',
    '{"event":"pusher:subscribe","data":{"channel":5}}',
    '{"event":"pusher:subscribe","data":"not json"}',
    '{"event":"pusher:unsubscribe"}',
    '{"event":"client-x"}',
  ]) {
    it(`case 21: ${text} gets an error and the socket stays usable`, async () => {
      const client = await server.connect();
      client.send(text);
      const frame = await client.waitFor(
        (f) => f.event === 'pusher:error' || f.event === 'pusher:subscription_error',
      );
      assertRow(frame.data.reason, { closeCode: 0 });
      await server.refusedLog(frame.data.reason);
      await client.subscribe('case-21');
    });
  }

  it('case 22: an unknown pusher: event gets pusher:error with code null', async () => {
    assertRow('event_unsupported', { pusherCode: null, closeCode: 0 });
    const client = await server.connect();
    client.send({ event: 'pusher:foo', data: {} });
    await expectError(client, 'event_unsupported');
    await client.ping();
  });

  it('case 23: an event without client- is not relayed', async () => {
    const [sender, reader] = [await server.connect(), await server.connect()];
    await sender.subscribe('case-23');
    await reader.subscribe('case-23');
    sender.trigger('my-event', 'case-23', {});
    await expectError(sender, 'event_unsupported');
    sender.trigger('pusher_internal:member_added', 'case-23', '{}');
    await sender.ping();
    await reader.barrier('case-23');
    assert.deepEqual(reader.all('my-event'), []);
    assert.deepEqual(reader.all('pusher_internal:member_added'), []);
  });

  it('case 24: a message over the limit gets an error and close 1009, others are not affected', async () => {
    assertRow('ws_message_too_big', { closeCode: 1009, pusherCode: 4301 });
    const [client, other] = [await server.connect(), await server.connect()];
    await other.subscribe('case-24');
    client.send({ event: 'pusher:ping', data: 'x'.repeat(2 * kMessageMax) });
    await expectClose(client, 'ws_message_too_big');
    await other.barrier('case-24');
  });

  it('case 24: a fragmented message over the limit is closed as well', async () => {
    const raw = await connectRawPusher(server);
    const piece = 'x'.repeat(kMessageMax / 2);
    raw.sendFrame(kOpcode.text, piece, { fin: false });
    raw.sendFrame(kOpcode.continuation, piece, { fin: false });
    raw.sendFrame(kOpcode.continuation, piece, { fin: true });
    const { code, events } = await raw.readClose();
    assert.equal(code, 1009);
    checkErrorFrame(events.at(-1), 'ws_message_too_big');
    const line = await server.closeLog(raw.socket_id, events.at(-1).data.reason);
    assertRow(line.reason, { closeCode: 1009 });
    raw.destroy();
  });

  it('case 24: a message just under the limit is taken', async () => {
    const client = await server.connect();
    client.send({ event: 'pusher:ping', data: 'x'.repeat(kMessageMax - 100) });
    await client.waitFor('pusher:pong');
  });

  it('case 25: a text message in a first frame and three continuations is handled as one', async () => {
    const raw = await connectRawPusher(server);
    const text = JSON.stringify({ event: 'pusher:subscribe', data: { channel: 'case-25', auth: '' } });
    raw.sendFrame(kOpcode.text, text.slice(0, 5), { fin: false });
    raw.sendFrame(kOpcode.continuation, text.slice(5, 9), { fin: false });
    raw.sendFrame(kOpcode.ping, 'between');
    raw.sendFrame(kOpcode.continuation, '', { fin: false });
    raw.sendFrame(kOpcode.continuation, text.slice(9), { fin: true });
    const pong = await raw.readFrame();
    assert.equal(pong.opcode, kOpcode.pong, 'a control frame between fragments is answered at once');
    const frame = await raw.readEvent();
    assert.equal(frame.event, 'pusher_internal:subscription_succeeded');
    assert.equal(frame.channel, 'case-25');
    raw.destroy();
  });

  it('case 25: a binary frame that holds JSON is treated as text', async () => {
    const raw = await connectRawPusher(server);
    raw.sendFrame(kOpcode.binary, JSON.stringify({ event: 'pusher:ping', data: {} }));
    const frame = await raw.readEvent();
    assert.equal(frame.event, 'pusher:pong');
    raw.destroy();
  });

  for (const [name, bytes] of [
    ['a stray continuation byte', [0x22, 0x80, 0x22]],
    ['an overlong encoding', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a cut sequence', [0x22, 0xe2, 0x82]],
  ]) {
    it(`case 26: a text frame with ${name} is closed with 1007`, async () => {
      const row = assertRow('ws_invalid_utf8', { closeCode: 1007, pusherCode: 0 });
      const raw = await connectRawPusher(server);
      raw.sendFrame(kOpcode.text, Buffer.from(bytes));
      const { code } = await raw.readClose();
      assert.equal(code, row.close_code);
      await server.closeLog(raw.socket_id, 'ws_invalid_utf8');
      raw.destroy();
    });
  }

  for (const [id, send] of [
    ['ws_unmasked', (raw) => raw.sendFrame(kOpcode.text, '{}', { mask: false })],
    ['ws_reserved_bits', (raw) => raw.sendFrame(kOpcode.text, '{}', { rsv: 4 })],
    ['ws_reserved_opcode', (raw) => raw.sendFrame(3, '{}')],
    ['ws_control_fragmented', (raw) => raw.sendFrame(kOpcode.ping, 'x', { fin: false })],
    ['ws_control_too_long', (raw) => raw.sendFrame(kOpcode.ping, 'x'.repeat(126))],
    ['ws_unexpected_continuation', (raw) => raw.sendFrame(kOpcode.continuation, 'x')],
    ['ws_close_payload_invalid', (raw) => raw.sendFrame(kOpcode.close, 'x')],
    ['ws_close_code_invalid', (raw) => raw.sendFrame(kOpcode.close, Buffer.from([0x03, 0xed]))],
  ]) {
    it(`case 26: a frame against RFC 6455 is closed with 1002 as ${id}`, async () => {
      assertRow(id, { closeCode: 1002, pusherCode: 0 });
      const raw = await connectRawPusher(server);
      send(raw);
      const { code } = await raw.readClose();
      assert.equal(code, 1002);
      await server.closeLog(raw.socket_id, id);
      raw.destroy();
    });
  }
});
