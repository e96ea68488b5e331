// Cases S1-S35 and S38-S55: what a client may send, and what comes back, over both transports. The server echoes as the
// official suite wants it: "message" comes back as "message-back", "message-with-ack" as its acknowledgement.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { readPacket, sendText, splitPayload, poll, push } from './sio_engine.mjs';
import { connectedSession, dropSessions, kTransports, openSession } from './sio_session.mjs';
import { kOurs, kReference, startTarget } from './sio_target.mjs';

const kReserved = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];
const kPlaceholder = '{"_placeholder":true,"num":0}';
const kBytes = Buffer.from([1, 2, 3]);

function ack_text(text) {
  return text.replace('message', 'message-with-ack');
}

describe('socketio_packets', () => {
  let target;
  let hasty; // closes soon whoever joins nothing
  before(async () => {
    target = await startTarget({ socketio: { protocol_suite: true } });
    hasty = await startTarget({
      socketio: { protocol_suite: true, connect_timeout_ms: 500, ping_interval_ms: 200, ping_timeout_ms: 20_000 },
    });
  });
  after(() => Promise.all([target?.stop(), hasty?.stop()]));
  afterEach(() => dropSessions());

  /** One test for each transport. */
  function both(name, test, options = {}) {
    for (const transport of kTransports) it(`${name} (${transport})`, options, () => test(transport));
  }

  /** Each of `inputs` (a packet, or a list of packets) closes a fresh session that has joined `/`. */
  async function assertEachCloses(transport, inputs) {
    for (const input of inputs) {
      const session = await connectedSession(target, transport);
      await session.send(...[input].flat());
      await session.assertClosed().catch((error) => assert.fail(`${input}: ${error.message}`));
    }
  }

  /** The same for sessions that have joined nothing. */
  async function assertEachClosesUnjoined(transport, inputs, allowed) {
    for (const input of inputs) {
      const session = await openSession(target, transport);
      await session.send(...[input].flat());
      await session.assertClosed(allowed).catch((error) => assert.fail(`${input}: ${error.message}`));
    }
  }

  /** None of `inputs` is answered or closes. */
  async function assertEachIgnored(transport, inputs) {
    const session = await connectedSession(target, transport);
    for (const input of inputs) {
      await session.send(...[input].flat());
      await session.assertQuiet().catch((error) => assert.fail(`${input}: ${error.message}`));
    }
  }

  both('S1: 40 is answered with an id of 20 characters, which is not that of the session', async (transport) => {
    const session = await openSession(target, transport);
    const answer = await session.connect();
    assert.deepEqual(Object.keys(answer), ['sid']);
    assert.notEqual(answer.sid, session.sid);
    await session.assertQuiet();
  });

  both('S2: 40 when connected closes', (transport) => assertEachCloses(transport, ['40', '40{}', '40/,']));

  both('S3: an event right behind 40 is handled after it', async (transport) => {
    const session = await openSession(target, transport);
    await session.send('40', '42["message",1]', '421["message-with-ack",2]');
    assert.equal((await session.receive()).type, 0);
    assert.deepEqual(await session.event('auth'), [{}]);
    await session.expect('42["message-back",1]');
    await session.expect('431[2]');
  }, kOurs);

  both('S4: two CONNECT back to back never make two sockets', async (transport) => {
    await assertEachClosesUnjoined(transport, [['40', '40']], /^4(0\{|2\["auth")/);
  }, kOurs);

  both('S5: CONNECT with an object, an id or an explicit root is one to /', async (transport) => {
    for (const input of ['40{}', '405', '405{"a":1}', '40/,', '40 {}'].slice(0, 4)) {
      const session = await openSession(target, transport);
      await session.send(input);
      const answer = await session.receive();
      assert.deepEqual([answer.type, answer.nsp], [0, '/'], input);
      assert.deepEqual(await session.event('auth'), [input === '405{"a":1}' ? { a: 1 } : {}]);
    }
  });

  both('S6: CONNECT with anything else than an object closes', (transport) =>
    assertEachClosesUnjoined(transport, ['40[]', '40null', '40"s"', '40{bad', '40custom']));

  both('S7: an unknown namespace is refused and the session stays open', async (transport) => {
    const session = await openSession(target, transport);
    for (const input of ['40/nope', '40/nope,', '40/nope,{"a":1}']) {
      await session.send(input);
      await session.expect('44/nope,{"message":"Invalid namespace"}');
    }
    await session.connect();
    await session.assertQuiet();
  });

  both('S8: a query string is part of the name', async (transport) => {
    const session = await openSession(target, transport);
    await session.send('40/custom?x=1,');
    await session.expect('44/custom?x=1,{"message":"Invalid namespace"}');
  });

  both('S10: what follows the comma is the payload', (transport) => assertEachClosesUnjoined(transport, ['40/a,b']));

  both('S16: anything before the first CONNECT closes', (transport) =>
    assertEachClosesUnjoined(transport, ['42["message",1]', '430[]', '41', '44{"message":"x"}']));

  both('S17: who joins nothing, or is only refused, is closed after the connect timeout', async (transport) => {
    const silent = await openSession(hasty, transport);
    const refused = await openSession(hasty, transport);
    await refused.send('40/nope,');
    await refused.expect('44/nope,{"message":"Invalid namespace"}');
    await Promise.all([silent.assertClosed(), refused.assertClosed()]);
  });

  both('S18: after 41 the session stays open and is pinged', async (transport) => {
    const session = await connectedSession(hasty, transport);
    await session.send('41');
    session.answer_pings = false;
    assert.equal(await session.read(), '2');
    await session.send('3');
    // Longer than the connect timeout, which a leave must not start again: 200 ms lie between two pings.
    for (let i = 0; i < 4; ++i) {
      assert.equal(await session.read(), '2');
      await session.send('3');
    }
    await session.connect();
  });

  both('S19: an event or a second 41 after 41 closes', async (transport) => {
    for (const input of ['42["message",1]', '41', '431[]']) {
      const session = await connectedSession(target, transport);
      await session.send('41');
      await session.settle();
      await session.send(input);
      await session.assertClosed();
    }
  });

  both('S19: at once behind 41 too', (transport) =>
    assertEachCloses(transport, [['41', '42["message",1]'], ['41', '41'], ['41', '431[]']]), kOurs);

  both('S20: 40 after 41 gives a new id', async (transport) => {
    const session = await connectedSession(target, transport);
    const first = session.ids['/'];
    await session.send('41');
    await session.settle();
    await session.connect();
    assert.notEqual(session.ids['/'], first);
    await session.assertQuiet();
  });

  both('S21, S22: 41 with a payload and 44 close', (transport) =>
    assertEachCloses(transport, ['41{}', '41[]', '44{"message":"x"}', '44']));

  both('S23: an event without payload is ignored', (transport) => assertEachIgnored(transport, ['42', '421']));

  both('S24: a payload that is not a list with a name closes', (transport) =>
    assertEachCloses(transport, [
      '42[]', '42[null]', '42[true]', '42[{}]', '42{"a":1}', '42"x"', '42["message"', '42["message",1]x',
    ]));

  both('S25, S27: numbers and names without a handler are ignored', (transport) =>
    assertEachIgnored(transport, [
      '42[1,2]', '42["connection"]', '42["error"]', '42["new_namespace"]', '42[""]', '42["nobody listens",{"a":1}]',
    ]));

  both('S26: each reserved name closes', (transport) =>
    assertEachCloses(transport, kReserved.map((name) => `42["${name}"]`)));

  both('S28, S29: an acknowledgement has the id and the arguments of the event', async (transport) => {
    const session = await connectedSession(target, transport);
    await session.send('4212["message-with-ack","a",1]');
    await session.expect('4312["a",1]');
    await session.send('420["message-with-ack"]');
    await session.expect('430[]');
    await session.send('42007["message-with-ack"]');
    await session.expect('437[]');
  });

  both('S30: an id of 15 digits comes back as it was', async (transport) => {
    const session = await connectedSession(target, transport);
    await session.send('42999999999999999["message-with-ack",1]');
    await session.expect('43999999999999999[1]');
  });

  both('S30: an id of 20 digits, which no client could compare, closes', async (transport) => {
    await assertEachCloses(transport, ['4299999999999999999999["message-with-ack",1]']);
  }, kOurs);

  both('S31: what is not an id closes', (transport) =>
    assertEachCloses(transport, ['42-1["message"]', '421.5["message"]', '42abc["message"]']));

  both('S31: a blank before the payload is not an id', async (transport) => {
    await assertEachCloses(transport, ['42 ["message",1]']);
  }, kOurs);

  both('S32: an acknowledgement with null and with binary', async (transport) => {
    const session = await connectedSession(target, transport);
    await session.send('425["message-with-ack",null]');
    await session.expect('435[null]');
    await session.send(`451-6["message-with-ack",${kPlaceholder}]`, kBytes);
    await session.expect(`461-6[${kPlaceholder}]`);
    await session.expect(kBytes);
  });

  both('S33, S34: events with an id and no handler, and acknowledgements nobody waits for, are ignored', (transport) =>
    assertEachIgnored(transport, [
      '427["nobody listens"]', '43999[1]', '43[1]', '4312', [`461-99[${kPlaceholder}]`, kBytes],
    ]));

  both('S35: an acknowledgement with an object closes', (transport) => assertEachCloses(transport, ['4312{}']));

  both('S38, S47: binary is echoed, empty binary as well', async (transport) => {
    const session = await connectedSession(target, transport);
    for (const bytes of [kBytes, Buffer.alloc(0), Buffer.from([0, 0x1e, 0xff])]) {
      await session.send(`451-["message",${kPlaceholder}]`, bytes);
      await session.expect(`451-["message-back",${kPlaceholder}]`);
      await session.expect(bytes);
    }
  });

  both('S39: a bad number of attachments closes', (transport) =>
    assertEachCloses(transport, [
      '45', `45-["message",${kPlaceholder}]`, '450-["message"]', '45["message"]', `45-1-["message",${kPlaceholder}]`,
      `4511-["message",${kPlaceholder}]`, `451e0-["message",${kPlaceholder}]`,
    ].slice(0, kReference ? 6 : 7)));

  both('S40: ten attachments are accepted', async (transport) => {
    const session = await connectedSession(target, transport);
    const parts = Array.from({ length: 10 }, (_, i) => Buffer.from([i, 255 - i]));
    const placeholders = parts.map((_, num) => `{"_placeholder":true,"num":${num}}`).join(',');
    await session.send(`4510-["message",${placeholders}]`, ...parts);
    assert.deepEqual(await session.event('message-back'), parts);
  });

  both('S41: a binary event without payload is ignored', (transport) =>
    assertEachIgnored(transport, [['451-', kBytes]]));

  both('S42: a text while an attachment is missing closes', (transport) => {
    const header = `451-["message",${kPlaceholder}]`;
    return assertEachCloses(transport, [[header, '42["message",1]'], [header, header], [header, '41']]);
  });

  both('S43: a pong may come between header and attachment', async (transport) => {
    const session = await connectedSession(target, transport);
    await session.send(`451-["message",${kPlaceholder}]`, '3', kBytes);
    assert.deepEqual(await session.event('message-back'), [kBytes]);
  });

  both('S44: a placeholder out of range closes', (transport) =>
    assertEachCloses(transport, ['5', '1', '-1', '"0"'].map((num) => [
      `451-["message",{"_placeholder":true,"num":${num}}]`, kBytes,
    ])));

  both('S45: attachments may be unused, used twice, or used in another order', async (transport) => {
    const session = await connectedSession(target, transport);
    await session.send('451-["message","plain"]', kBytes);
    assert.deepEqual(await session.event('message-back'), ['plain']);
    await session.send(`451-["message",${kPlaceholder},${kPlaceholder}]`, kBytes);
    assert.deepEqual(await session.event('message-back'), [kBytes, kBytes]);
    const other = Buffer.from('other');
    await session.send(`452-["message",{"_placeholder":true,"num":1},${kPlaceholder}]`, kBytes, other);
    assert.deepEqual(await session.event('message-back'), [other, kBytes]);
    await session.assertQuiet();
  });

  both('S46: what looks like a placeholder in a text event is plain data', async (transport) => {
    const session = await connectedSession(target, transport);
    await session.send(`42["message",${kPlaceholder}]`);
    await session.expect(`42["message-back",${kPlaceholder}]`);
  });

  both('S48: an acknowledgement in another namespace names it', async (transport) => {
    const session = await connectedSession(target, transport, '/custom');
    await session.send('42/custom,12["subscribe","room48"]');
    await session.expect('43/custom,12[{"ok":true}]');
  });

  both('S49, S50: binary for an unknown namespace, or with an object, closes', (transport) =>
    assertEachCloses(transport, [[`451-/zzz,["e",${kPlaceholder}]`, kBytes], ['451-{}', kBytes]]));

  both('S51: unknown and empty packets close', (transport) =>
    assertEachCloses(transport, ['47["x"]', '4', '4x', '48', '4abc']));

  both('S52: text of every kind comes back', async (transport) => {
    const session = await connectedSession(target, transport);
    const texts = [
      '"grüße, 世界"', '"\\u0000\\u001e"', '"\\ud83d\\ude00"', '"😀"', '"\\ud800"', '"\\u2028\\u007f"', '{"é":[]}',
    ];
    for (const text of texts) {
      await session.send(`42["message",${text}]`);
      assert.deepEqual(await session.event('message-back'), [JSON.parse(text)], text);
    }
  });

  both('S53: a number keeps all its digits', async (transport) => {
    const session = await connectedSession(target, transport);
    const numbers = ['12345678901234567890', '9'.repeat(30), '1.10', '1e5', '-0', '0.10000000000000000555111512312'];
    for (const number of numbers) {
      await session.send(`42["message",${number}]`);
      await session.expect(`42["message-back",${number}]`);
    }
  }, kOurs);

  both('S54: leaving another namespace does not touch /', async (transport) => {
    const session = await connectedSession(target, transport);
    await session.connect('/custom');
    assert.notEqual(session.ids['/'], session.ids['/custom']);
    await session.send('41/custom,');
    await session.assertQuiet();
  });

  both('S55: an event for a namespace that was not joined closes everything', (transport) =>
    assertEachCloses(transport, ['42/custom,["message"]', '41/custom,', '42/nope,["message"]']));

  both('nested lists up to a depth of 400 come back', async (transport) => {
    const session = await connectedSession(target, transport);
    const deep = `${'['.repeat(400)}${']'.repeat(400)}`;
    await session.send(`42["message",${deep}]`);
    await session.expect(`42["message-back",${deep}]`);
  });

  both('a million nested lists close, and the server lives on', async (transport) => {
    const session = await connectedSession(target, transport);
    await session.send(`42["message",${'['.repeat(900_000)}`);
    await session.assertClosed();
  });

  both('blanks behind the payload are fine', async (transport) => {
    const session = await connectedSession(target, transport);
    await session.send('42["message",1] \n');
    assert.deepEqual(await session.event('message-back'), [1]);
  });

  it('no raw separator ever reaches a polling client inside a packet', async () => {
    const session = await connectedSession(target, 'polling');
    await push(target, session.sid, '42["message","a\\u001eb"]');
    const response = await poll(target, session.sid);
    assert.equal(splitPayload(response.text).length, 1, response.text);
    assert.deepEqual(JSON.parse(response.text.slice(2)), ['message-back', 'a\x1eb']);
  });

  it('W14: a fragmented message is one packet', async () => {
    const session = await connectedSession(target, 'websocket');
    session.raw.sendFrame(1, '42["message",', { fin: false });
    session.raw.sendFrame(0, '"frag"]');
    await session.expect('42["message-back","frag"]');
  });

  it('W16: base64 text is an attachment as well', async () => {
    const session = await connectedSession(target, 'websocket');
    sendText(session.raw, `451-["message",${kPlaceholder}]`);
    sendText(session.raw, 'bAQID');
    assert.deepEqual(await session.event('message-back'), [kBytes]);
  });

  it('W17: binary without a header closes', async () => {
    const session = await connectedSession(target, 'websocket');
    await session.send(kBytes);
    await session.assertClosed();
  });

  it('W18: a client that takes no binary gets base64 text', async () => {
    const session = await openSession(target, 'websocket', { b64: 1 });
    await session.connect();
    await session.send(`451-["message",${kPlaceholder}]`, kBytes);
    await session.expect(`451-["message-back",${kPlaceholder}]`);
    assert.equal(await readPacket(session.raw), 'bAQID');
  });

  it('attachments of one event are limited in all', kOurs, async () => {
    const small = await startTarget({ socketio: { protocol_suite: true, binary_bytes_max: '4KiB' } });
    try {
      for (const transport of kTransports) {
        const session = await connectedSession(small, transport);
        const parts = [Buffer.alloc(1900), Buffer.alloc(1900), Buffer.alloc(1900)];
        const placeholders = parts.map((_, num) => `{"_placeholder":true,"num":${num}}`);
        await session.send(`452-["message",${placeholders.slice(0, 2)}]`, ...parts.slice(0, 2));
        assert.equal((await session.event('message-back')).length, 2);
        await session.send(`453-["message",${placeholders}]`, ...parts);
        await session.assertClosed();
      }
    } finally {
      await small.stop();
    }
  });

  both('every end has its reason in the log', async (transport) => {
    for (const [packet, reason] of [
      ['42[]', 'socketio_packet_invalid'],
      ['42/custom,["e"]', 'socketio_not_connected'],
    ]) {
      const since = target.server.logs.length;
      const session = await connectedSession(target, transport);
      await session.send(packet);
      await session.assertClosed();
      await target.server.waitForLog((line) => line.reason === reason, `the reason of ${packet}`, { since });
    }
    const since = hasty.server.logs.length;
    await (await openSession(hasty, transport)).assertClosed();
    const late = (line) => line.reason === 'socketio_connect_timeout';
    await hasty.server.waitForLog(late, 'the connect timeout', { since });
  }, kOurs);

  both('packets of several namespaces of one session do not mix', async (transport) => {
    const session = await connectedSession(target, transport);
    await session.connect('/custom');
    await session.send('42/custom,1["subscribe","x"]', ack_text('422["message","y"]'));
    const answers = [await session.receive(), await session.receive()];
    answers.sort((a, b) => a.id - b.id);
    assert.deepEqual(answers.map(({ nsp, id }) => [nsp, id]), [['/custom', 1], ['/', 2]]);
  });
});
