// A C++ program with the server inside, seen by the real client of Socket.IO: events, acknowledgements, rooms, choices.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { expectClose } from './asserts.mjs';
import { ask, startEmbedded } from './embed_target.mjs';
import { eventually } from './harness.mjs';
import { closeSioClients, sioConnected, sioOnce, sioSignin } from './sio_clients.mjs';

let server;
before(async () => {
  server = await startEmbedded();
});
after(() => server.stop());
afterEach(() => closeSioClients());

const told = (socket) => socket.seen.filter(([event]) => event === 'told').map(([, value]) => value);

/** What has reached the sockets before a round trip has come back to each of them. */
async function settled(...sockets) {
  // A publish goes through the home of its channel, an answer does not: so ask for something that goes the same way.
  await sockets[0].emit('everybody', 'last');
  await eventually(() => sockets.every((socket) => told(socket).includes('last')), 'the last event');
  return sockets.map((socket) => told(socket).filter((value) => value !== 'last'));
}

for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
  test(`Handler_ClientAsks_AnswersWithWhatItWasGiven (${transports})`, async () => {
    const socket = await sioConnected(server, { transports });
    assert.deepEqual(await ask(socket, 'echo', 1, 'two', { three: [4, null, 'é€😀'] }), [1, 'two', { three: [4, null, 'é€😀'] }]);
    assert.equal(await ask(socket, 'add', 20, 22), 42);
    assert.deepEqual(await ask(socket, 'common', 'text'), [socket.id, 'text']);
    socket.emit('message', 'a', { b: 1 });
    assert.deepEqual(await sioOnce(socket, 'message-back'), ['a', { b: 1 }]);
  });

  test(`Handler_Bytes_ComeAndGoAsAttachments (${transports})`, async () => {
    const socket = await sioConnected(server, { transports });
    const [size, reversed] = await ask(socket, 'bytes', Buffer.from([1, 2, 0, 255]));
    assert.equal(size, 4);
    assert.deepEqual([...Buffer.from(reversed)], [255, 0, 2, 1]);
    const [deep] = [await ask(socket, 'echo', { deep: { bytes: Buffer.from('x') } })];
    assert.equal(Buffer.from(deep.deep.bytes).toString(), 'x');
    socket.emit('message', Buffer.from('y'));
    const [back] = await sioOnce(socket, 'message-back');
    assert.equal(Buffer.from(back).toString(), 'y');
  });

  test(`Ask_ClientAnswers_ReplyHasItsArguments (${transports})`, async () => {
    const socket = await sioConnected(server, { transports });
    socket.on('question', (question, callback) => callback(`${question} yes`));
    assert.deepEqual(await ask(socket, 'ask-me', 'ready?'), [true, 'ready? yes']);
    assert.equal(await ask(socket, 'ask-in-vain'), false);
  });
}

test('Socket_HandshakeAndData_BelongToTheClient', async () => {
  const socket = await sioConnected(server, { auth: { token: 'x', n: 1 } });
  assert.deepEqual(await ask(socket, 'whoami'), { id: socket.id, address: '127.0.0.1', auth: { token: 'x', n: 1 } });
  assert.equal(await ask(socket, 'count'), 1);
  assert.equal(await ask(socket, 'count'), 2);
  const other = await sioConnected(server);
  assert.equal(await ask(other, 'count'), 1);
});

test('Ask_SocketLeavesFirst_HandlerHearsThatNobodyAnswers', async () => {
  const socket = await sioConnected(server);
  socket.emit('ask-and-leave');
  await sioOnce(socket, 'disconnect');
  const other = await sioConnected(server);
  await eventually(async () => (await ask(other, 'log')).includes('never answered'), 'the reply handler');
});

for (const [name, args, answer] of [['off-me', [], 'once'], ['once-me', [1], 2]]) {
  test(`Handler_ThatIsGone_AnswersOnce (${name})`, async () => {
    const socket = await sioConnected(server);
    assert.equal(await ask(socket, name, ...args), answer);
    await assert.rejects(() => new Promise((resolve, reject) => {
      socket.timeout(200).emit(name, ...args, (error) => (error ? reject(error) : resolve()));
    }));
  });
}

test('Rooms_ToExceptAndEverybody_ReachWhoIsMeantOnce', async () => {
  const sockets = [];
  for (let i = 0; i < 4; ++i) sockets.push(await sioConnected(server));
  const [a, b, c, d] = sockets;
  assert.deepEqual(await ask(a, 'join', 'red'), [true, ['red']]);
  await ask(b, 'join', 'red');
  await ask(b, 'join', 'blue');
  await ask(c, 'join', 'blue');
  const joined = async (room, count) => (await ask(d, 'who', room)).length === count;
  await eventually(() => joined('red', 2), 'two in red');
  await eventually(() => joined('blue', 2), 'two in blue');
  assert.deepEqual((await ask(d, 'who', 'red')).sort(), [a.id, b.id].sort());
  a.emit('to', 'red', 'not me');
  d.emit('in', 'red', 'room');
  d.emit('to-but', 'red', 'blue', 'red only');
  d.emit('in', a.id, 'by id');
  d.emit('all-but-me', 'others');
  d.emit('in', 'nobody is here', 'nothing');
  await eventually(() => told(a).length >= 4 && told(b).length >= 3, 'events of the rooms');
  const [seen_a, seen_b, seen_c, seen_d] = await settled(d, a, b, c).then(([x, y, z, w]) => [y, z, w, x]);
  assert.deepEqual(seen_a.sort(), ['by id', 'others', 'red only', 'room']);
  assert.deepEqual(seen_b.sort(), ['not me', 'others', 'room']);
  assert.deepEqual(seen_c, ['others']);
  assert.deepEqual(seen_d, []);
  assert.deepEqual(await ask(a, 'leave', 'red'), [true, []]);
});

test('Join_NameThatIsNotAllowed_IsRefused', async () => {
  const socket = await sioConnected(server);
  assert.deepEqual(await ask(socket, 'join', 'presence-x'), [false, []]);
  assert.deepEqual(await ask(socket, 'join', 'x'.repeat(300)), [false, []]);
});

test('AskRoom_SomeAnswer_RepliesHaveTheirFirstArguments', async () => {
  const [a, b, c] = [await sioConnected(server), await sioConnected(server), await sioConnected(server)];
  for (const [i, socket] of [a, b].entries()) {
    await ask(socket, 'join', 'asked');
    socket.on('question', (question, callback) => callback(i));
  }
  await eventually(async () => (await ask(c, 'who', 'asked')).length === 2, 'both in the room');
  const [asked, values] = await ask(c, 'ask-room', 'asked');
  assert.equal(asked, 2);
  assert.deepEqual(values.sort(), [0, 1]);
  assert.deepEqual(await ask(c, 'ask-room', 'empty room'.replaceAll(' ', '-')), [0, []]);
});

test('MoveAndKick_Rooms_TakeTheSocketsAlong', async () => {
  const [a, b] = [await sioConnected(server), await sioConnected(server)];
  await ask(a, 'join', 'from');
  await eventually(async () => (await ask(b, 'who', 'from')).length === 1, 'one in the room');
  b.emit('move', 'from', 'dest');
  await eventually(async () => (await ask(b, 'who', 'dest')).includes(a.id), 'the move');
  const { id } = a;
  const gone = sioOnce(a, 'disconnect');
  b.emit('kick', 'dest');
  assert.equal((await gone)[0], 'io server disconnect');
  await eventually(
    async () => (await ask(b, 'log')).some((line) => line.startsWith(`disconnected ${id} terminated_by_api`) && line.includes(' dest')),
    'on_disconnect with the rooms it was in',
  );
});

test('BuiltInEvents_NoHandlerHasTheName_AreStillAnswered', async () => {
  const socket = await sioConnected(server);
  assert.deepEqual(await ask(socket, 'subscribe', 'orders'), { ok: true });
  const heard = sioOnce(socket, 'order.paid');
  await server.publish('orders', 'order.paid', JSON.stringify({ id: 1 }));
  assert.deepEqual(await heard, [{ id: 1 }]);
});

test('Users_OnBothProtocols_AreReachedCountedAndDisconnected', async () => {
  const admin = await sioConnected(server);
  const user = await sioConnected(server);
  const pusher = await server.connect();
  await pusher.signin({ id: 'ulla' });
  await sioSignin(user, { id: 'ulla' });
  const count = () => ask(admin, 'count-user', 'ulla');
  await eventually(async () => (await count()) === 2, 'both connections');
  assert.equal(await ask(admin, 'count-user', 'nobody'), 0);
  assert.equal(await ask(admin, 'count-user', ''), false);
  const heard = sioOnce(user, 'personal');
  assert.equal(await ask(admin, 'to-user', 'ulla', { n: 1 }), true);
  assert.deepEqual(await heard, [{ n: 1 }]);
  assert.deepEqual(JSON.parse((await pusher.waitFor('personal')).data), { n: 1 });
  assert.equal(await ask(admin, 'to-user', '', 1), false);
  const gone = sioOnce(user, 'disconnect');
  assert.equal(await ask(admin, 'disconnect-user', 'ulla'), true);
  await gone;
  await expectClose(pusher, 'terminated_by_api');
  await eventually(async () => (await count()) === 0, 'nobody left');
});

test('TimersPostAndThreads_ReachTheClient', async () => {
  const socket = await sioConnected(server);
  assert.equal(await ask(socket, 'post'), 'posted');
  await ask(socket, 'join', 'ticks');
  await sioOnce(socket, 'tick');
  await sioOnce(socket, 'tick');
  await ask(socket, 'stop-ticks');
  const heard = sioOnce(socket, 'from a thread');
  assert.equal(await ask(socket, 'from-thread'), 'from a thread');
  assert.deepEqual(await heard, [1]);
  assert.ok((await ask(socket, 'log')).includes('after'));
});

test('Publish_FromAThreadOfTheProgram_ReachesBothKindsOfClient', async () => {
  const socket = await sioConnected(server);
  await ask(socket, 'join', 'outside');
  await eventually(async () => (await ask(socket, 'who', 'outside')).length === 1, 'the room');
  const pusher = await server.connect();
  await pusher.subscribe('outside');
  const lines = () => socket.seen.filter(([event]) => event === 'line').map(([, line]) => line);
  server.child.stdin.write('first\nsecond\n');
  // Each line is published to the channel, and emitted to everybody.
  await eventually(() => lines().length === 4, 'lines of standard input');
  assert.deepEqual([...new Set(lines())], ['first', 'second']);
  const frame = await pusher.waitFor((message) => message.event === 'line' && message.channel === 'outside');
  assert.equal(frame.data, 'first');
  server.child.stdin.write('register\n');
  await eventually(
    async () => (await ask(socket, 'log')).some((line) => line.includes('before Server::start')),
    'the refusal to register late',
  );
});
