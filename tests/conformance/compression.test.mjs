// permessage-deflate (RFC 7692) with the `ws` client: every kind of compression, with plain readers beside them.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { assertRow, startServer } from './harness.mjs';
import { expectClose } from './asserts.mjs';

const kModes = ['off', 'shared', 'dedicated'];
const kOffers = {
  'with context': true,
  'without context on both sides': { serverNoContextTakeover: true, clientNoContextTakeover: true },
  'with small windows': { serverMaxWindowBits: 10, clientMaxWindowBits: 10 },
};

describe('compression', () => {
  let server;
  before(async () => {
    server = await startServer({
      apps: kModes.map((mode) => ({ id: mode, key: `${mode}-key`, secret: 'secret', compression: mode, client_events: true })),
      limits: { message_bytes_max: 65536 },
    });
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  const appOf = (mode) => server.apps.find((app) => app.id === mode);
  const open = (mode, perMessageDeflate) =>
    server.connect({ key: `${mode}-key`, app: appOf(mode), perMessageDeflate });

  for (const mode of kModes) {
    for (const [what, offer] of Object.entries(kOffers)) {
      it(`compression = "${mode}", offer ${what}: events arrive as they do without`, async () => {
        const packed = await open(mode, offer);
        const plain = await open(mode, false);
        const negotiated = 'permessage-deflate' in packed.socket._extensions;
        // A shared frame needs the full window, so an offer of less is declined there and the client reads plain frames.
        assert.equal(negotiated, mode === 'dedicated' || (mode === 'shared' && !offer.serverMaxWindowBits));
        for (const client of [packed, plain]) await client.subscribe('room');
        for (let i = 0; i < 20; ++i) {
          await server.api(appOf(mode)).trigger('room', `event-${i}`, { i, text: 'aaaaaaaaaa'.repeat(i * 20) });
        }
        const last = (client) => client.waitFor('event-19');
        await Promise.all([last(packed), last(plain)]);
        const events = (client) => client.raw.filter((text) => text.startsWith('{"event":"event-'));
        assert.equal(events(packed).length, 20);
        assert.deepEqual(events(packed), events(plain));
      });
    }
  }

  it('a compressed client event reaches plain and compressed readers', async () => {
    for (const mode of ['shared', 'dedicated']) {
      const sender = await open(mode, { threshold: 0 });
      const readers = [await open(mode, { threshold: 0 }), await open(mode, false)];
      for (const client of [sender, ...readers]) await client.subscribe('private-room');
      for (let i = 0; i < 3; ++i) {
        sender.send({ event: 'client-note', channel: 'private-room', data: { i, text: 'b'.repeat(500) } });
      }
      for (const reader of readers) {
        await reader.until(() => reader.frames.filter((frame) => frame.event === 'client-note').length === 3, 'three');
        const seen = reader.frames.filter((frame) => frame.event === 'client-note').map((frame) => frame.data.i);
        assert.deepEqual(seen, [0, 1, 2]);
      }
    }
  });

  it('a message that inflates beyond the limit closes the connection with 1009', async () => {
    assertRow('ws_inflated_too_big', { closeCode: 1009, pusherCode: 4301 });
    for (const mode of ['shared', 'dedicated']) {
      const bomb = await open(mode, { threshold: 0 });
      const other = await open(mode, { threshold: 0 });
      bomb.socket.send(JSON.stringify({ event: 'pusher:ping', data: 'x'.repeat(1 << 20) }));
      await expectClose(bomb, 'ws_inflated_too_big');
      await other.ping();
    }
  });
});
