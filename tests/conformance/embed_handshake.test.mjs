// The request with which a client came, as a C++ program sees it: query and headers in middleware, in on_connection and
// in handlers, by the real client of Socket.IO.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { ask, startEmbedded } from './embed_target.mjs';
import { closeSioClients, kWays, sioBack, sioClient, sioConnected, sioEvent, sioOnce } from './sio_clients.mjs';

let server;
before(async () => {
  server = await startEmbedded({ socketio: { recovery_ms: 30_000 } });
});
after(() => server.stop());
afterEach(() => closeSioClients());

/** What io() gets. The name `usid` ends like the one that Engine.IO has for a session. */
const came = (color, more = {}) => ({
  nsp: '/handshake',
  query: { color, usid: '7', 'é &=': 'a+b c&d=%25' },
  extraHeaders: { 'X-Color': color, 'X-Odd': 'a: b,c' },
  ...more,
});

function assertSeen(seen, color, transport, what) {
  const { t, ...query } = seen.query;
  assert.deepEqual(query, { EIO: '4', transport, color, usid: '7', 'é &=': 'a+b c&d=%25' }, what);
  assert.equal(t !== undefined, new URL(seen.url, 'http://x').searchParams.has('t'), what);
  assert.equal(new URL(seen.url, 'http://x').pathname, server.path, what);
  assert.equal(new URL(seen.url, 'http://x').searchParams.get('color'), color, what);
  assert.equal(seen['x-color'], color, what);
  assert.equal(seen.nothing, '', what);
  const headers = Object.fromEntries(Object.entries(seen.headers).map(([name, value]) => [name.toLowerCase(), value]));
  assert.equal(headers['x-odd'], 'a: b,c', what);
  assert.equal(headers.host, `${server.host}:${server.port}`, what);
  assert.equal(headers.upgrade, transport === 'websocket' ? 'websocket' : undefined, what);
  assert.equal(seen.address, '127.0.0.1', what);
}

for (const [way, transports] of Object.entries(kWays)) {
  test(`Handshake_EverywhereInTheProgram_IsTheFirstRequest (${way})`, async () => {
    const socket = await sioConnected(server, came('red', { transports }));
    const [middleware, connection, recovered] = await sioEvent(socket, 'came');
    assert.equal(recovered, false);
    for (const [what, seen] of Object.entries({ middleware, connection, handler: await ask(socket, 'handshake') })) {
      assertSeen(seen, 'red', transports[0], what);
    }
  });

  test(`Handshake_SecondNamespaceOfAConnection_IsTheSame (${way})`, async () => {
    const first = await sioConnected(server, { ...came('green', { transports }), nsp: '/' });
    const second = first.io.socket('/handshake', {});
    await sioOnce(second, 'connect');
    assertSeen(await ask(second, 'handshake'), 'green', transports[0]);
  });

  test(`Handshake_ClientComesBack_IsThatOfItsNewRequest (${way})`, async () => {
    // Often enough that with several shards its session has to move.
    for (let round = 0; round < 4; ++round) {
      const socket = await sioConnected(server, came('red', { transports }));
      await sioEvent(socket, 'came');
      const { id } = socket;
      const { query, extraHeaders } = came(`blue-${round}`);
      // The manager takes these for its next connection.
      Object.assign(socket.io.opts, { query, extraHeaders });
      const from = socket.seen.length;
      const gone = sioOnce(socket, 'disconnect');
      socket.io.engine.close();
      await gone;
      if (!socket.active) socket.connect();
      await sioBack(socket);
      const [middleware, connection, recovered] = await sioEvent(socket, 'came', { from });
      assert.deepEqual([recovered, socket.id], [true, id]);
      assertSeen(middleware, `blue-${round}`, transports[0], 'middleware');
      assertSeen(connection, `blue-${round}`, transports[0], 'connection');
      assertSeen(await ask(socket, 'handshake'), `blue-${round}`, transports[0], 'handler');
      socket.disconnect();
    }
  });
}

test('Middleware_RefusesByAHeader_ClientHearsWhy', async () => {
  const socket = sioClient(server, { nsp: '/handshake', reconnection: false });
  const [error] = await sioOnce(socket, 'connect_error');
  assert.equal(error.message, 'no color');
});
