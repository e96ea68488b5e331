// A C++ program with the server inside, whose handlers throw, block, or outlive their socket: nobody else is hurt, and
// the log says which it was. And middleware, with the rows S11 to S15 and R11 of Socket.IO's behaviour.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { ask, startEmbedded } from './embed_target.mjs';
import { eventually } from './harness.mjs';
import { closeSioClients, sioClient, sioConnected, sioOnce } from './sio_clients.mjs';
import { dropSessions, openSession } from './sio_session.mjs';

let server;
before(async () => {
  server = await startEmbedded({ socketio: { recovery_ms: 30_000 } });
});
after(() => server.stop());
afterEach(async () => {
  closeSioClients();
  await dropSessions();
});

const refused = async (options) => {
  const socket = sioClient(server, { reconnection: false, ...options });
  const [error] = await sioOnce(socket, 'connect_error');
  return { message: error.message, data: error.data };
};

// --- handlers

test('Handler_Throws_IsNamedInTheLogAndTheSocketStays', async () => {
  const [socket, other] = [await sioConnected(server), await sioConnected(server)];
  const since = server.logs.length;
  for (const name of ['throw', 'throw-int']) socket.emit(name);
  assert.equal(await ask(socket, 'add', 1, 2), 3);
  assert.equal(await ask(other, 'add', 1, 2), 3);
  const line = await server.waitForLog((entry) => entry.event === 'handler_threw' && entry.name === 'throw', 'the throw', { since });
  assert.equal(line.what, 'on purpose');
  await server.waitForLog((entry) => entry.event === 'handler_threw' && entry.name === 'throw-int', 'the other', { since });
});

test('Handler_ArgumentsDoNotFit_IsLoggedAndNotAnswered', async () => {
  const socket = await sioConnected(server);
  const since = server.logs.length;
  socket.emit('add', 'one', {});
  await server.waitForLog((entry) => entry.event === 'handler_threw' && entry.name === 'add', 'the wrong type', { since });
  assert.equal(await ask(socket, 'add', 1, 2), 3);
});

test('Handler_Blocks_IsNamedInTheLogOnce', async () => {
  const socket = await sioConnected(server);
  assert.equal(await ask(socket, 'block', 250), 'blocked');
  assert.equal(await ask(socket, 'block', 250), 'blocked');
  assert.equal(await ask(socket, 'block', 1), 'blocked');
  const slow = server.logs.filter((entry) => entry.event === 'handler_slow' && entry.name === 'block');
  assert.equal(slow.length, 1);
  assert.ok(Number(slow[0].took_ms) >= 250);
});

test('Handler_Blocks_SocketsOfOtherShardsAreServed', { skip: process.env.KILAT_SHARDS === '1' }, async () => {
  const sockets = [];
  for (let i = 0; i < 16; ++i) sockets.push(await sioConnected(server, { transports: ['websocket'] }));
  const [blocked, ...others] = sockets;
  let over = false;
  const block = ask(blocked, 'block', 3_000).then(() => {
    over = true;
  });
  let meanwhile = 0;
  await Promise.all(others.map(async (socket) => {
    assert.equal(await ask(socket, 'add', 1, 2), 3);
    if (!over) ++meanwhile;
  }));
  await block;
  assert.ok(meanwhile > 0, 'nobody was served meanwhile');
});

test('Handle_OutlivesItsSocket_CallsDoNothing', async () => {
  const [socket, other] = [await sioConnected(server), await sioConnected(server)];
  socket.emit('keep-me', () => {});
  await ask(socket, 'add', 1, 1);
  const id = socket.id;
  socket.disconnect();
  await eventually(async () => (await ask(other, 'log')).some((line) => line.startsWith(`disconnected ${id}`)), 'the end');
  assert.deepEqual(await ask(other, 'use-kept'), [false, false, false, false, false]);
});

test('Handler_DisconnectsItsOwnSocket_TheRestOfItDoesNothing', async () => {
  const [socket, other] = [await sioConnected(server), await sioConnected(server)];
  socket.emit('leave-me', () => assert.fail('answered'));
  assert.equal((await sioOnce(socket, 'disconnect'))[0], 'io server disconnect');
  assert.equal(await ask(other, 'add', 1, 2), 3);
});

// --- middleware

test('S11_MiddlewareRefuses_ConnectErrorHasMessageAndData', async () => {
  assert.deepEqual(await refused({ nsp: '/auth' }), { message: 'unauthorized', data: undefined });
  assert.deepEqual(await refused({ nsp: '/auth', auth: { data: 1 } }), { message: 'unauthorized', data: { code: 42 } });
  for (const transport of ['websocket', 'polling']) {
    const session = await openSession(server, transport);
    session.send('40/auth,');
    assert.equal(await session.next(), '44/auth,{"message":"unauthorized"}');
    session.send('40/auth,{"data":1}');
    assert.equal(await session.next(), '44/auth,{"message":"unauthorized","data":{"code":42}}');
    // S12: the session is open, and a better token is taken.
    session.send('40/auth,{"token":"ok"}');
    assert.match(await session.next(), /^40\/auth,\{"sid":"/);
  }
});

test('S12_MiddlewareAccepts_DataAndRoomsAreThere', async () => {
  const socket = await sioConnected(server, { nsp: '/auth', auth: { token: 'ok' } });
  assert.deepEqual(await ask(socket, 'token'), ['ok', ['members']]);
});

test('S13_EventAfterARefusal_EndsTheSession', async () => {
  const session = await openSession(server, 'websocket');
  session.send('40/auth,');
  await session.next();
  session.send('42/auth,["token"]');
  await session.closed();
});

for (const [row, packet] of [['S14', '42/slow,["echo",1]'], ['S14', '41/slow,'], ['S15', '40/slow,']]) {
  test(`${row}_PacketWhileMiddlewareRuns_EndsTheSession (${packet})`, async () => {
    const session = await openSession(server, 'websocket');
    session.send('40/slow,');
    session.send(packet);
    await session.closed();
    const other = await sioConnected(server, { nsp: '/slow' });
    assert.ok(other.connected);
  });
}

test('Middleware_ThrowsOrForgets_RefusesTheClient', async () => {
  const since = server.logs.length;
  assert.equal((await refused({ nsp: '/auth', auth: { throw: 1 } })).message, 'Refused by the application');
  assert.equal((await refused({ nsp: '/auth', auth: { forget: 1 } })).message, 'Refused by the application');
  await server.waitForLog((entry) => entry.event === 'handler_threw' && entry.what === 'in middleware', 'the throw', { since });
});

test('R11_RecoveredSocket_PassesTheMiddlewareAgain', async () => {
  const first = await openSession(server, 'websocket');
  const { pid } = await first.connect('/auth', { token: 'ok' });
  assert.ok(pid);
  first.drop();
  const session = await openSession(server, 'websocket');
  session.send(`40/auth,${JSON.stringify({ pid })}`);
  assert.equal(await session.next(), '44/auth,{"message":"unauthorized"}');
});

test('PacketMiddleware_Decides_WhichEventsAreHandled', async () => {
  const socket = await sioConnected(server, { nsp: '/picky' });
  assert.equal(await ask(socket, 'allowed', 'at once'), 'at once');
  assert.equal(await ask(socket, 'allowed', 'wait'), 'wait');
  const silent = (event) => new Promise((resolve) => {
    socket.timeout(200).emit(event, 'x', (error) => resolve(error !== null));
  });
  assert.equal(await silent('forbidden'), true);
  // The built-in events are off there.
  assert.equal(await silent('subscribe'), true);
});
