// Cases W1-W13, U1-U12 and P1-P3: the WebSocket transport of Engine.IO, the upgrade to it, and the heartbeat.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, it } from 'node:test';

import WebSocket from 'ws';

import {
  assertEngineError, assertGone, enginePath, engineRequest, engineUpgrade, openSocket, poll, pollingHandshake, push,
  readPacket, sendText, sleep, within,
} from './sio_engine.mjs';
import { kOpcode } from './raw_ws.mjs';
import { connectedSession, dropSessions, kEmptyClose, kTransports, openSession } from './sio_session.mjs';
import { kOurs, kSuiteSettings, startTarget } from './sio_target.mjs';

const kBytesMax = 2000;

describe('socketio_websocket', () => {
  let target;
  before(async () => {
    target = await startTarget({ socketio: { protocol_suite: true, message_bytes_max: kBytesMax } });
  });
  after(() => target?.stop());
  afterEach(() => dropSessions());

  it('W1: a handshake is an open packet without upgrades', async () => {
    const session = await openSession(target, 'websocket');
    assert.match(session.open.sid, /^[\w-]{20}$/);
    assert.deepEqual(session.open, {
      sid: session.sid, upgrades: [], pingInterval: 25000, pingTimeout: 20000, maxPayload: kBytesMax,
    });
  });

  it('W2: a bad transport and an unknown session are refused before the upgrade', async () => {
    for (const [query, text] of [
      [{ transport: 'abc' }, 'Transport unknown'],
      [{ transport: undefined }, 'Transport unknown'],
      [{ sid: 'abcdefghijklmnopqrst' }, 'Session ID unknown'],
    ]) {
      const { raw, response } = await engineUpgrade(target, query);
      assert.equal(response.status, 400);
      assert.ok(response.body.includes(text), response.body);
      raw.destroy();
    }
  });

  it('W3: another revision is refused before the upgrade', kOurs, async () => {
    for (const EIO of [undefined, '3', 'abc']) {
      const { raw, response } = await engineUpgrade(target, { EIO });
      assert.equal(response.status, 400);
      assert.ok(response.body.includes('Unsupported protocol version'), response.body);
      raw.destroy();
    }
  });

  it('W4: compression that was offered is not taken by default', async () => {
    const headers = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };
    const { raw, response } = await engineUpgrade(target, {}, { headers });
    assert.equal(response.status, 101);
    assert.equal(response.headers['sec-websocket-extensions'], undefined);
    raw.destroy();
  });

  it('W5: the first of several subprotocols is taken', async () => {
    const { raw, response } = await engineUpgrade(target, {}, { headers: { 'Sec-WebSocket-Protocol': 'foo, bar' } });
    assert.equal(response.headers['sec-websocket-protocol'], 'foo');
    raw.destroy();
  });

  it('W6, W8, W10: packets that no client may send close', async () => {
    for (const packet of ['', '2', '2probe', '7', 'abc', 'x']) {
      const session = await openSession(target, 'websocket');
      await session.send(packet);
      await session.assertClosed().catch((error) => assert.fail(`"${packet}": ${error.message}`));
    }
  });

  it('W7: 1 closes at once', kOurs, async () => {
    const session = await openSession(target, 'websocket');
    await session.send('1');
    await session.closed();
  });

  it('W9: packets without meaning are ignored', async () => {
    const session = await connectedSession(target, 'websocket');
    for (const packet of ['0', '3', '5', '6']) {
      await session.send(packet);
      await session.assertQuiet();
    }
  });

  it('W11: a message of the limit passes, one byte more closes with 1009', async () => {
    const session = await connectedSession(target, 'websocket');
    const fit = (length) => `42["nobody","${'x'.repeat(length - 15)}"]`;
    assert.equal(fit(kBytesMax).length, kBytesMax);
    await session.send(fit(kBytesMax));
    await session.assertQuiet();
    await session.send(fit(kBytesMax + 1));
    assert.equal(await session.closed(), 1009);
  });

  it('W12, W13: text that is not UTF-8 closes with 1007, an unmasked frame with 1002', async () => {
    const bad = await connectedSession(target, 'websocket');
    bad.raw.sendFrame(kOpcode.text, Buffer.from([0x34, 0x32, 0xff, 0xfe]));
    assert.equal(await bad.closed(), 1007);
    const bare = await connectedSession(target, 'websocket');
    bare.raw.sendFrame(kOpcode.text, '42["nobody"]', { mask: false });
    assert.equal(await bare.closed(), 1002);
  });

  it('W15: a WebSocket ping is answered by its pong', async () => {
    const session = await connectedSession(target, 'websocket');
    await session.settle();
    await session.assertQuiet();
  });

  it('compression that is switched on is taken and used', async () => {
    const packing = await startTarget({ socketio: { protocol_suite: true, compression: true } });
    try {
      const url = `ws://${packing.host}:${packing.port}${enginePath(packing, { EIO: 4, transport: 'websocket' })}`;
      const socket = new WebSocket(url, { perMessageDeflate: true });
      const text = 'z'.repeat(5000);
      const packets = [];
      const arrived = new Promise((resolve, reject) => {
        socket.on('message', (data) => {
          packets.push(data.toString());
          const packet = packets.at(-1);
          if (packet.startsWith('40{')) {
            packing.emit({ event: 'long', args: [text], sockets: [JSON.parse(packet.slice(2)).sid] }).catch(reject);
          }
          if (packet.startsWith('42["long"')) resolve();
        });
        socket.on('close', reject);
        socket.on('error', reject);
      });
      await once(socket, 'open');
      assert.equal(socket.extensions, 'permessage-deflate');
      socket.send('40');
      await within(arrived, 'the event');
      assert.equal(packets.at(-1), `42["long","${text}"]`);
      assert.ok(socket._socket.bytesRead < text.length, 'fewer bytes than the text has');
      socket.terminate();
    } finally {
      await packing.stop();
    }
  });
});

describe('socketio_upgrade', () => {
  let target;
  before(async () => {
    target = await startTarget({ socketio: { protocol_suite: true } });
  });
  after(() => target?.stop());
  afterEach(() => dropSessions());

  /** A joined polling session and a raw socket that asks for its upgrade. */
  async function upgrading() {
    const session = await connectedSession(target, 'polling');
    const raw = await openSocket(target, { sid: session.sid });
    return { session, sid: session.sid, raw };
  }

  async function probe(raw) {
    sendText(raw, '2probe');
    assert.equal(await readPacket(raw), '3probe');
  }

  /** An upgraded session: an echo over the new transport. */
  async function assertEchoes(raw) {
    sendText(raw, '42["message","up"]');
    assert.equal(await readPacket(raw), '42["message-back","up"]');
  }

  /** The polling transport still serves the session. */
  async function assertPolls(sid) {
    assert.equal((await push(target, sid, '42["message","poll"]')).text, 'ok');
    for (;;) {
      const response = await poll(target, sid);
      assert.equal(response.status, 200, response.text);
      if (response.text === '6') continue;
      assert.equal(response.text, '42["message-back","poll"]');
      return;
    }
  }

  it('U1, U3: the probe is answered, the waiting GET ends with 6, and 5 upgrades', async () => {
    const { sid, raw } = await upgrading();
    const waiting = poll(target, sid);
    await probe(raw);
    assert.equal((await waiting).text, '6');
    sendText(raw, '5');
    await assertEchoes(raw);
    raw.destroy();
  });

  it('U1: a GET that comes after the probe is answered 6 as well', async () => {
    const { sid, raw } = await upgrading();
    await probe(raw);
    for (let i = 0; i < 3; ++i) assert.equal((await poll(target, sid)).text, '6');
    sendText(raw, '5');
    await assertEchoes(raw);
    raw.destroy();
  });

  it('U2: before 5 everything goes over polling, in order, and nothing is lost', async () => {
    const { session, sid, raw } = await upgrading();
    await probe(raw);
    const emit = (i) => target.emit({ event: 'n', args: [i], sockets: [session.ids['/']] });
    await emit(0);
    await session.expect('42["n",0]');
    await emit(1);
    sendText(raw, '5');
    assert.equal(await readPacket(raw), '42["n",1]');
    await emit(2);
    assert.equal(await readPacket(raw), '42["n",2]');
    assert.equal((await poll(target, sid)).status, 400);
    raw.destroy();
  });

  it('U4: after the upgrade polling is refused, and the socket goes on', async () => {
    const { sid, raw } = await upgrading();
    await probe(raw);
    sendText(raw, '5');
    await assertEchoes(raw);
    assertEngineError(await poll(target, sid), 3, 'Bad request');
    assertEngineError(await push(target, sid, '42["message","lost"]'), 3, 'Bad request');
    await assertEchoes(raw);
    raw.destroy();
  });

  it('U5: a second WebSocket of the session is closed, the first goes on', async () => {
    const { sid, raw } = await upgrading();
    await probe(raw);
    const during = await openSocket(target, { sid });
    assert.deepEqual(await readPacket(during), { closed: kEmptyClose });
    sendText(raw, '5');
    await assertEchoes(raw);
    const afterwards = await openSocket(target, { sid });
    assert.deepEqual(await readPacket(afterwards), { closed: kEmptyClose });
    await assertEchoes(raw);
    raw.destroy();
  });

  it('U6: 5 without a probe upgrades', async () => {
    const { raw } = await upgrading();
    sendText(raw, '5');
    await assertEchoes(raw);
    raw.destroy();
  });

  it('U7: another packet on the upgrading socket ends that socket only', async () => {
    for (const packet of ['40', '2', '42["message",1]', '', '3', 'x']) {
      const { sid, raw } = await upgrading();
      sendText(raw, packet);
      assert.deepEqual(await readPacket(raw), { closed: kEmptyClose }, packet);
      await assertPolls(sid);
    }
  });

  it('U8: an upgrade that is not finished in time ends, polling goes on', async () => {
    const hasty = await startTarget({ socketio: { protocol_suite: true, upgrade_timeout_ms: 500 } });
    try {
      const session = await connectedSession(hasty, 'polling');
      const raw = await openSocket(hasty, { sid: session.sid });
      await probe(raw);
      assert.deepEqual(await readPacket(raw), { closed: kEmptyClose });
      await session.assertQuiet();
    } finally {
      await hasty.stop();
    }
  });

  it('U9: an upgrade with another revision is refused', async () => {
    const { sid } = await pollingHandshake(target);
    const { raw, response } = await engineUpgrade(target, { sid, EIO: 3 });
    assert.equal(response.status, 400);
    assert.ok(response.body.includes('Bad request'), response.body);
    raw.destroy();
  });

  it('U10: when the probing socket dies, another may probe', async () => {
    const { sid, raw } = await upgrading();
    await probe(raw);
    raw.destroy();
    // Until the server has seen the end of the first, the second is one too many.
    for (;;) {
      const again = await openSocket(target, { sid });
      sendText(again, '2probe');
      if ((await readPacket(again)) !== '3probe') continue;
      sendText(again, '5');
      await assertEchoes(again);
      again.destroy();
      return;
    }
  });

  it('U10: when the probing socket dies, polling goes on', async () => {
    const { sid, raw } = await upgrading();
    await probe(raw);
    raw.destroy();
    await assertPolls(sid);
  });

  it('U11: a GET that waits when 5 arrives is answered', async () => {
    const { sid, raw } = await upgrading();
    const waiting = poll(target, sid);
    await sleep(300);
    sendText(raw, '5');
    const response = await waiting;
    assert.equal(response.status, 200);
    assert.match(response.text, /^[16]$/);
    await assertEchoes(raw);
    raw.destroy();
  });

  it('U12: a session that began as a WebSocket is not taken over', kOurs, async () => {
    const session = await connectedSession(target, 'websocket');
    const { raw, response } = await engineUpgrade(target, { sid: session.sid });
    if (response.status === 101) assert.equal((await readPacket(raw)).closed !== undefined, true);
    else assert.equal(response.status, 400);
    await session.assertQuiet();
  });

  it('a session that began as a WebSocket is not served by polling', async () => {
    const session = await connectedSession(target, 'websocket');
    assertEngineError(await poll(target, session.sid), 3, 'Bad request');
    assertEngineError(await push(target, session.sid, '40'), 3, 'Bad request');
    await session.assertQuiet();
  });

  it('events emitted all through the upgrade arrive once and in order', async () => {
    const { session, sid, raw } = await upgrading();
    const count = 60;
    const emitting = (async () => {
      for (let i = 0; i < count; ++i) await target.emit({ event: 'n', args: [i], sockets: [session.ids['/']] });
    })();
    const seen = [];
    const take = (text) => {
      const events = text.split('\x1e').filter((packet) => packet.startsWith('42["n",'));
      seen.push(...events.map((packet) => JSON.parse(packet.slice(2))[1]));
    };
    while (seen.length < 10) take((await poll(target, sid)).text);
    await probe(raw);
    take((await poll(target, sid)).text);
    sendText(raw, '5');
    while (seen.length < count) take(await readPacket(raw));
    await emitting;
    assert.deepEqual(seen, Array.from({ length: count }, (_, i) => i));
    raw.destroy();
  });

  it('upgrades can be switched off', async () => {
    const plain = await startTarget({ socketio: { protocol_suite: true, upgrades: false } });
    try {
      const { sid, upgrades } = await pollingHandshake(plain);
      assert.deepEqual(upgrades, []);
      assert.equal((await push(plain, sid, '40')).text, 'ok');
      assert.match((await poll(plain, sid)).text, /^40\{/);
      const session = await connectedSession(plain, 'websocket');
      await session.assertQuiet();
    } finally {
      await plain.stop();
    }
  });
});

describe('socketio_heartbeat', () => {
  const interval = kSuiteSettings.ping_interval_ms;
  const timeout = kSuiteSettings.ping_timeout_ms;
  let target;
  before(async () => {
    target = await startTarget({ socketio: { ...kSuiteSettings, connect_timeout_ms: 60_000 } });
  });
  after(() => target?.stop());
  afterEach(() => dropSessions());

  // Only lower bounds: a clock that was read before the request can not be late, whatever the machine does.
  for (const transport of kTransports) {
    it(`P1: pings come an interval after the handshake and after each pong (${transport})`, async () => {
      let since = performance.now();
      const session = await openSession(target, transport);
      session.answer_pings = false;
      for (let i = 0; i < 3; ++i) {
        assert.equal(await session.read(), '2');
        assert.ok(performance.now() - since >= interval - 1, `ping ${i} after ${performance.now() - since} ms`);
        since = performance.now();
        await session.send('3');
      }
      assert.equal(await session.read(), '2');
      await session.closed();
      const silent_ms = performance.now() - since;
      assert.ok(silent_ms >= interval + timeout - 1, `closed after ${silent_ms} ms`);
    });

    it(`P2: who sends but never answers is closed all the same (${transport})`, async () => {
      const since = performance.now();
      const session = await openSession(target, transport);
      await session.connect();
      session.answer_pings = false;
      let over = false;
      const talking = (async () => {
        while (!over) {
          await session.send('42["nobody"]').catch(() => {});
          await sleep(50);
        }
      })();
      assert.equal(await session.read(), '2');
      await within(session.closed(), 'the close');
      over = true;
      await talking;
      assert.ok(performance.now() - since >= interval + timeout - 1);
    });
  }

  it('P3: pongs that nobody asked for do not keep the pings away', kOurs, async () => {
    const session = await openSession(target, 'websocket');
    let over = false;
    const talking = (async () => {
      while (!over) {
        await session.send('3');
        await sleep(100);
      }
    })();
    session.answer_pings = false;
    for (let i = 0; i < 3; ++i) assert.equal(await session.read(), '2');
    over = true;
    await talking;
  });

  it('the deadline of a pong survives the upgrade', kOurs, async () => {
    const session = await openSession(target, 'polling');
    session.answer_pings = false;
    assert.equal(await session.read(), '2');
    const raw = await openSocket(target, { sid: session.sid });
    sendText(raw, '2probe');
    assert.equal(await readPacket(raw), '3probe');
    sendText(raw, '5');
    assert.deepEqual(await readPacket(raw), { closed: kEmptyClose });
    await assertGone(target, session.sid);
  });

  it('the deadline is exact: a session is gone at the very request that comes after it', kOurs, async () => {
    for (let i = 0; i < 5; ++i) {
      const { sid } = await pollingHandshake(target);
      await sleep(interval + timeout);
      assertEngineError(await engineRequest(target, 'GET', { sid }), 1, 'Session ID unknown');
    }
  });
});
