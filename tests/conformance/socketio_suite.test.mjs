// The cases of the official protocol test suites, written from their description: Engine.IO (25) against a bare echo at
// /engine.io/, Socket.IO (32) against /socket.io/, with one shard and with two.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import {
  engineRequest, engineUpgrade, enginePath, openSocket, parseOpen, poll, pollingHandshake, push, readPacket, sendText,
  sleep,
} from './sio_engine.mjs';
import { connectRaw } from './raw_ws.mjs';
import { connectedSession, dropSessions, openSession } from './sio_session.mjs';
import { kReference, kSuiteSettings, startTarget } from './sio_target.mjs';

const kOpenFields = ['maxPayload', 'pingInterval', 'pingTimeout', 'sid', 'upgrades'];
const kBytes = Buffer.from([1, 2, 3, 4]);

/** The target, seen at another path. */
function at(target, path) {
  return Object.assign(Object.create(target), { path });
}

/** Asserts that the raw socket is closed, whatever comes before. */
async function assertSocketCloses(raw) {
  for (;;) {
    const packet = await readPacket(raw).catch(() => ({ closed: 0 }));
    if (packet.closed !== undefined) return;
  }
}

async function assertRefusedSocket(target, query) {
  const { raw, response } = await engineUpgrade(target, query);
  if (response.status === 101) await assertSocketCloses(raw);
  else assert.equal(response.status, 400);
  raw.destroy();
}

/** Upgrades a session up to the given packet; resolves with the raw socket. */
async function upgraded(target, sid) {
  const raw = await openSocket(target, { sid });
  sendText(raw, '2probe');
  assert.equal(await readPacket(raw), '3probe');
  sendText(raw, '5');
  return raw;
}

/** Asserts what a handshake tells, which has no other fields. */
function assertOpen(open, upgrades) {
  assert.deepEqual(Object.keys(open).sort(), kOpenFields);
  assert.equal(typeof open.sid, 'string');
  const { pingInterval, pingTimeout, maxPayload } = open;
  assert.deepEqual([open.upgrades, pingInterval, pingTimeout, maxPayload], [upgrades, 300, 200, 1_000_000]);
}

/** The first seven cases of both suites. */
function handshakeCases(target_of) {
  it('1: handshake by polling', async () => {
    const response = await engineRequest(target_of(), 'GET');
    assert.equal(response.status, 200);
    assertOpen(parseOpen(response.text), ['websocket']);
  });

  it('2: polling with a bad revision', async () => {
    for (const EIO of [undefined, 'abc']) assert.equal((await engineRequest(target_of(), 'GET', { EIO })).status, 400);
  });

  it('3: polling with a bad transport', async () => {
    for (const transport of [undefined, 'abc']) {
      assert.equal((await engineRequest(target_of(), 'GET', { transport })).status, 400);
    }
  });

  it('4: polling handshake with another method', async () => {
    for (const method of ['POST', 'PUT']) assert.equal((await engineRequest(target_of(), method)).status, 400);
  });

  it('5: handshake by WebSocket', async () => {
    const raw = await openSocket(target_of());
    assertOpen(parseOpen(await readPacket(raw)), []);
    raw.destroy();
  });

  // The reference server answers a bad revision with bytes that are no WebSocket.
  it('6: WebSocket with a bad revision', { skip: kReference }, async () => {
    for (const EIO of [undefined, 'abc']) await assertRefusedSocket(target_of(), { EIO });
  });

  it('7: WebSocket with a bad transport', async () => {
    for (const transport of [undefined, 'abc']) await assertRefusedSocket(target_of(), { transport });
  });
}

/** Heartbeat and close, which both suites have as well; `first` is the number of the first case. */
function lifeCases(target_of, first) {
  it(`${first}: three pings by polling`, async () => {
    const { sid } = await pollingHandshake(target_of());
    for (let i = 0; i < 3; ++i) {
      assert.equal((await poll(target_of(), sid)).text, '2');
      assert.equal((await push(target_of(), sid, '3')).status, 200);
    }
  });

  it(`${first + 1}: silence by polling`, async () => {
    const { sid } = await pollingHandshake(target_of());
    await sleep(500);
    assert.equal((await poll(target_of(), sid)).status, 400);
  });

  it(`${first + 2}: three pings by WebSocket`, async () => {
    const raw = await openSocket(target_of());
    parseOpen(await readPacket(raw));
    for (let i = 0; i < 3; ++i) {
      assert.equal(await readPacket(raw), '2');
      sendText(raw, '3');
    }
    raw.destroy();
  });

  it(`${first + 3}: silence by WebSocket`, async () => {
    await assertSocketCloses(await openSocket(target_of()));
  });

  it(`${first + 4}: close by polling`, async () => {
    const { sid } = await pollingHandshake(target_of());
    const waiting = poll(target_of(), sid);
    const pushed = await push(target_of(), sid, '1');
    assert.deepEqual([pushed.status, pushed.text], [200, 'ok']);
    const polled = await waiting;
    assert.deepEqual([polled.status, polled.text], [200, '6']);
    assert.equal((await poll(target_of(), sid)).status, 400);
  });

  it(`${first + 5}: close by WebSocket`, async () => {
    const raw = await openSocket(target_of());
    parseOpen(await readPacket(raw));
    sendText(raw, '1');
    await assertSocketCloses(raw);
  });
}

function engineCases(target_of) {
  afterEach(() => dropSessions());
  handshakeCases(target_of);

  async function assertPolled(packets, text) {
    const { sid } = await pollingHandshake(target_of());
    const pushed = await push(target_of(), sid, packets);
    assert.deepEqual([pushed.status, pushed.text], [200, 'ok']);
    const polled = await poll(target_of(), sid);
    assert.deepEqual([polled.status, polled.text], [200, text]);
  }

  it('8: echo by polling', () => assertPolled(['4hello'], '4hello'));
  it('9: several packets in one payload', () =>
    assertPolled(['4test1', '4test2', '4test3'], '4test1\x1e4test2\x1e4test3'));
  it('10: text and binary in one payload', () => assertPolled(['4hello', kBytes], '4hello\x1ebAQIDBA=='));

  it('11: an invalid packet by polling', async () => {
    const { sid } = await pollingHandshake(target_of());
    await push(target_of(), sid, 'abc');
    assert.equal((await poll(target_of(), sid)).status, 400);
  });

  it('12: a second GET', async () => {
    const { sid } = await pollingHandshake(target_of());
    const answers = await Promise.all([poll(target_of(), sid), poll(target_of(), sid)]);
    const [first, second] = answers.sort((a, b) => a.status - b.status);
    assert.deepEqual([first.status, first.text], [200, '1']);
    assert.ok([400, 500].includes(second.status));
    assert.equal((await poll(target_of(), sid)).status, 400);
  });

  it('13: a GET that is given up', async () => {
    const { sid } = await pollingHandshake(target_of());
    const raw = await connectRaw(target_of());
    const path = enginePath(target_of(), { EIO: 4, transport: 'polling', sid });
    raw.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await sleep(50);
    raw.destroy();
    assert.equal((await poll(target_of(), sid)).status, 400);
  });

  it('14, 15: echo of text and of binary by WebSocket', async () => {
    const session = await openSession(target_of(), 'websocket');
    await session.send('4hello');
    await session.expect('4hello');
    await session.send(kBytes);
    await session.expect(kBytes);
  });

  it('16: an invalid packet by WebSocket', async () => {
    const session = await openSession(target_of(), 'websocket');
    await session.send('abc');
    await session.closed();
  });

  lifeCases(target_of, 17);

  it('23: upgrade', async () => {
    const { sid } = await pollingHandshake(target_of());
    const raw = await openSocket(target_of(), { sid });
    sendText(raw, '2probe');
    assert.equal(await readPacket(raw), '3probe');
    const polled = await poll(target_of(), sid);
    assert.deepEqual([polled.status, polled.text], [200, '6']);
    sendText(raw, '5');
    sendText(raw, '4hello');
    assert.equal(await readPacket(raw), '4hello');
    raw.destroy();
  });

  it('24: polling after the upgrade', async () => {
    const { sid } = await pollingHandshake(target_of());
    const raw = await upgraded(target_of(), sid);
    assert.equal((await poll(target_of(), sid)).status, 400);
    sendText(raw, '4hello');
    assert.equal(await readPacket(raw), '4hello');
    raw.destroy();
  });

  it('25: a second WebSocket after the upgrade', async () => {
    const { sid } = await pollingHandshake(target_of());
    const raw = await upgraded(target_of(), sid);
    await assertRefusedSocket(target_of(), { sid });
    sendText(raw, '4hello');
    assert.equal(await readPacket(raw), '4hello');
    raw.destroy();
  });
}

function socketCases(target_of) {
  afterEach(() => dropSessions());
  handshakeCases(target_of);
  lifeCases(target_of, 8);

  it('14: upgrade', async () => {
    const { sid } = await pollingHandshake(target_of());
    (await upgraded(target_of(), sid)).destroy();
  });

  it('15: polling after the upgrade', async () => {
    const { sid } = await pollingHandshake(target_of());
    const raw = await upgraded(target_of(), sid);
    assert.equal((await poll(target_of(), sid)).status, 400);
    raw.destroy();
  });

  it('16: a second WebSocket after the upgrade', async () => {
    const { sid } = await pollingHandshake(target_of());
    const raw = await upgraded(target_of(), sid);
    await assertRefusedSocket(target_of(), { sid });
    raw.destroy();
  });

  for (const [number, nsp, payload] of [
    [17, '/', undefined],
    [18, '/', { token: '123' }],
    [19, '/custom', undefined],
    [20, '/custom', { token: 'abc' }],
  ]) {
    it(`${number}: connection to ${nsp}${payload ? ' with a payload' : ''}`, async () => {
      const session = await openSession(target_of(), 'websocket');
      const prefix = nsp === '/' ? '' : `${nsp},`;
      await session.send(`40${prefix}${payload ? JSON.stringify(payload) : ''}`);
      const answer = await session.receive();
      assert.deepEqual([answer.type, answer.nsp, Object.keys(answer.data)], [0, nsp, ['sid']]);
      await session.expect(`42${prefix}["auth",${JSON.stringify(payload ?? {})}]`);
    });
  }

  it('21: connection to an unknown namespace', async () => {
    const session = await openSession(target_of(), 'websocket');
    await session.send('40/random');
    await session.expect('44/random,{"message":"Invalid namespace"}');
  });

  it('22: an invalid packet before the connection', async () => {
    const session = await openSession(target_of(), 'websocket');
    await session.send('4abc');
    await session.closed();
  });

  it('23: no connection at all', async () => {
    await assertSocketCloses(await openSocket(target_of()));
  });

  it('24: disconnection', async () => {
    const session = await connectedSession(target_of(), 'websocket');
    await session.send('41');
    assert.equal(await session.read(), '2');
  });

  it('25: disconnection from a namespace', async () => {
    const session = await connectedSession(target_of(), 'websocket', '/custom');
    await session.send('41/custom');
    await session.connect();
    await session.send('42["message","message to main namespace"]');
    await session.expect('42["message-back","message to main namespace"]');
  });

  it('26: an event', async () => {
    const session = await connectedSession(target_of(), 'websocket');
    await session.send('42["message",1,"2",{"3":[true]}]');
    await session.expect('42["message-back",1,"2",{"3":[true]}]');
  });

  const binary = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]';

  it('27: an event with attachments', async () => {
    const session = await connectedSession(target_of(), 'websocket');
    await session.send(`452-["message",${binary}`, Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6]));
    await session.expect(`452-["message-back",${binary}`);
    await session.expect(Buffer.from([1, 2, 3]));
    await session.expect(Buffer.from([4, 5, 6]));
  });

  it('28: an event with an acknowledgement', async () => {
    const session = await connectedSession(target_of(), 'websocket');
    await session.send('42456["message-with-ack",1,"2",{"3":[false]}]');
    await session.expect('43456[1,"2",{"3":[false]}]');
  });

  it('29: an event with attachments and an acknowledgement', async () => {
    const session = await connectedSession(target_of(), 'websocket');
    await session.send(`452-789["message-with-ack",${binary}`, Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6]));
    await session.expect(`462-789[${binary}`);
    await session.expect(Buffer.from([1, 2, 3]));
    await session.expect(Buffer.from([4, 5, 6]));
  });

  for (const [number, packet] of [[30, '4abc'], [31, '42{}'], [32, '42abc["message-with-ack",1]']]) {
    it(`${number}: ${packet} closes`, async () => {
      const session = await connectedSession(target_of(), 'websocket');
      await session.send(packet);
      await session.closed();
    });
  }
}

for (const shards of kReference ? [1] : [1, 2]) {
  describe(`socketio_suite, ${shards} shards`, () => {
    let target;
    before(async () => {
      target = await startTarget({ server: { shards }, socketio: kSuiteSettings });
    });
    after(() => target?.stop());

    describe('engine.io', () => engineCases(() => at(target, '/engine.io/')));
    describe('socket.io', () => socketCases(() => at(target, '/socket.io/')));
  });
}
