// Cases H1-H31: Engine.IO over plain HTTP. What Kilat decides differently from the reference server is marked as ours.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';

import {
  assertEngineError, assertGone, engineRequest, enginePath, parseOpen, poll, pollingHandshake, push, sleep, within,
} from './sio_engine.mjs';
import { connectRaw } from './raw_ws.mjs';
import { connectedSession, dropSessions } from './sio_session.mjs';
import { kOurs, kReference, startTarget } from './sio_target.mjs';

const kBodyMax = 2000;
const kOrigin = 'https://shop.example';
const kOther = 'https://evil.example';

/** The body of an orderly close, with or without what was queued before. */
const kOrderlyClose = /^(6\x1e)?1$/;

/** The text of a request for a raw socket. */
function requestText(target, method, query, { headers = {}, body = '' } = {}) {
  const all = { Host: `${target.host}:${target.port}`, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `${method} ${enginePath(target, query)} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

describe('socketio_http', () => {
  let target; // Socket.IO, small bodies
  let cors; // two listed origins, a cookie, compression
  before(async () => {
    target = await startTarget({
      socketio: { protocol_suite: true, message_bytes_max: kBodyMax },
      http: { cors_origins: kReference ? undefined : [] },
    });
    cors = await startTarget({
      socketio: { protocol_suite: true, cookie: 'io', http_compression: true },
      http: { cors_origins: [kOrigin, 'https://other.example'] },
    });
  });
  after(() => Promise.all([target?.stop(), cors?.stop()]));
  afterEach(() => dropSessions());

  /** The session is alive: an echo comes back, and nothing before it. */
  async function assertAlive(sid) {
    const posted = await push(target, sid, '42["message","alive"]');
    assert.deepEqual([posted.status, posted.text], [200, 'ok']);
    const response = await poll(target, sid);
    assert.deepEqual([response.status, response.text], [200, '42["message-back","alive"]']);
  }

  /** A polling session that has joined `/`, with nothing queued. */
  async function joined() {
    return (await connectedSession(target, 'polling')).sid;
  }

  it('H1: a handshake is an open packet with five fields', async () => {
    const response = await engineRequest(target, 'GET');
    assert.equal(response.status, 200);
    assert.equal(response.headers['content-type'], 'text/plain; charset=UTF-8');
    assert.equal(response.headers['cache-control'], 'no-store');
    const open = parseOpen(response.text);
    assert.match(open.sid, /^[\w-]{20}$/);
    assert.deepEqual(open, {
      sid: open.sid, upgrades: ['websocket'], pingInterval: 25000, pingTimeout: 20000, maxPayload: kBodyMax,
    });
    assert.notEqual((await pollingHandshake(target)).sid, open.sid);
  });

  it('H2: another revision of the protocol is refused', async () => {
    for (const EIO of [undefined, '3', '5', 'abc']) {
      assertEngineError(await engineRequest(target, 'GET', { EIO }), 5, 'Unsupported protocol version');
    }
  });

  it('H3: an unknown transport is refused', async () => {
    for (const transport of [undefined, 'abc', 'webtransport']) {
      assertEngineError(await engineRequest(target, 'GET', { transport }), 0, 'Transport unknown');
    }
  });

  it('H4: the websocket transport without an upgrade is refused', async () => {
    assertEngineError(await engineRequest(target, 'GET', { transport: 'websocket' }), 3, 'Bad request');
  });

  it('H5: only GET opens a session', async () => {
    for (const method of ['POST', 'PUT']) {
      assertEngineError(await engineRequest(target, method, {}, { body: '40' }), 2, 'Bad handshake method');
    }
    assert.equal((await engineRequest(target, 'HEAD')).status, 400);
  });

  it('H6: an unknown session is refused', async () => {
    for (const sid of ['abcdefghijklmnopqrst', '__proto__', 'x', '%00', 'A'.repeat(500)]) {
      assertEngineError(await engineRequest(target, 'GET', { sid }), 1, 'Session ID unknown');
      assertEngineError(await engineRequest(target, 'POST', { sid }, { body: '40' }), 1, 'Session ID unknown');
    }
  });

  it('H7: an empty session id is a handshake', async () => {
    assert.match((await pollingHandshake(target, { sid: '' })).sid, /^[\w-]{20}$/);
  });

  it('H8: the last of two equal parameters counts', async () => {
    const response = await engineRequest(target, 'GET', 'EIO=4&transport=abc&transport=polling&t=x1');
    assert.equal(response.status, 200);
  });

  it('H9: a session is asked for with its own revision', async () => {
    const sid = await joined();
    assertEngineError(await engineRequest(target, 'GET', { sid, EIO: undefined }), 3, 'Bad request');
    await assertAlive(sid);
  });

  it('H10: another method for a session is refused, and the session lives', async () => {
    const sid = await joined();
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const response = await engineRequest(target, method, { sid });
      assert.ok(response.status >= 400, `${method}: ${response.status}`);
    }
    await assertAlive(sid);
  });

  it('H12: a POST of bytes closes', async () => {
    const sid = await joined();
    const response = await push(target, sid, '40', { headers: { 'Content-Type': 'application/octet-stream' } });
    assert.equal(response.status, 400);
    await assertGone(target, sid);
  });

  it('H13: a body of the limit passes, one byte more is refused and the session lives', async () => {
    const sid = await joined();
    const fit = (length) => `42["nobody","${'x'.repeat(length - 15)}"]`;
    assert.equal(fit(kBodyMax).length, kBodyMax);
    const taken = await push(target, sid, fit(kBodyMax));
    assert.deepEqual([taken.status, taken.text], [200, 'ok']);
    assert.equal((await push(target, sid, fit(kBodyMax + 1))).status, 413);
    await assertAlive(sid);
  });

  it('H14: an empty packet closes', async () => {
    for (const body of ['', '42["nobody"]\x1e', '\x1e42["nobody"]', '42["nobody"]\x1e\x1e42["nobody"]']) {
      const sid = await joined();
      const response = await push(target, sid, body);
      assert.ok([200, 400].includes(response.status), `${JSON.stringify(body)}: ${response.status}`);
      await assertGone(target, sid);
    }
  });

  it('H15: packets that no client may send close', async () => {
    for (const body of ['7x', '2', '2probe', '42["nobody"]\x1eabc', 'x', '\u0000']) {
      const sid = await joined();
      const response = await push(target, sid, body);
      assert.ok([200, 400].includes(response.status), `${JSON.stringify(body)}: ${response.status}`);
      await assertGone(target, sid);
    }
  });

  it('H16: packets without meaning are ignored', async () => {
    const sid = await joined();
    for (const body of ['3', '5', '6', '0']) {
      const response = await push(target, sid, body);
      assert.deepEqual([response.status, response.text], [200, 'ok'], body);
    }
    await assertAlive(sid);
  });

  it('H17: 1 closes, and the GET that waits is answered 6', async () => {
    const sid = await joined();
    const waiting = poll(target, sid);
    // Which of the two arrives first is not known: a GET that comes late is answered in the same way.
    const posted = await push(target, sid, '1');
    assert.deepEqual([posted.status, posted.text], [200, 'ok']);
    const response = await waiting;
    assert.deepEqual([response.status, response.text], [200, '6']);
    await assertGone(target, sid);
  });

  it('H18: a message without a packet, and binary without a header, close', async () => {
    for (const body of ['4', 'bAQID', 'b']) {
      const sid = await joined();
      const posted = await push(target, sid, body);
      assert.ok([200, 400].includes(posted.status), `${body}: ${posted.status}`);
      const response = await poll(target, sid);
      if (response.status === 200) assert.match(response.text, kOrderlyClose);
      else assertEngineError(response, 1, 'Session ID unknown');
      await assertGone(target, sid);
    }
  });

  it('H19: a second GET closes, and the first is answered', async () => {
    const sid = await joined();
    const answers = await Promise.all([poll(target, sid), poll(target, sid)]);
    answers.sort((a, b) => a.status - b.status);
    assert.deepEqual(answers.map(({ status }) => status), [200, 400]);
    assert.equal(answers[0].text, '1');
    await assertGone(target, sid);
  });

  // The reference server closes at the second request. Kilat looks at a request when it is whole, so nothing overlaps.
  it('H20: a second POST while the first comes in', async () => {
    const sid = await joined();
    const slow = await connectRaw(target);
    const packet = '42["message","slow"]';
    const headers = { 'Content-Type': 'text/plain', 'Content-Length': packet.length };
    slow.write(requestText(target, 'POST', { EIO: 4, transport: 'polling', sid }, { headers, body: packet.slice(0, 3) }));
    // The first request must have been seen before the second is.
    await sleep(300);
    const second = await push(target, sid, '42["message","fast"]');
    if (kReference) {
      assert.equal(second.status, 400);
      await slow.waitEnd();
      return assertGone(target, sid);
    }
    assert.equal(second.text, 'ok');
    slow.write(packet.slice(3));
    assert.equal((await slow.readResponse()).body, 'ok');
    slow.destroy();
    assert.equal((await poll(target, sid)).text, '42["message-back","fast"]\x1e42["message-back","slow"]');
  });

  it('H21: the end of a waiting GET closes', async () => {
    const sid = await joined();
    const raw = await connectRaw(target);
    raw.write(requestText(target, 'GET', { EIO: 4, transport: 'polling', sid }));
    await sleep(300);
    raw.destroy();
    // Another connection, perhaps on another thread of the server: it may be faster than the news.
    await sleep(500);
    await assertGone(target, sid);
  });

  it('H22: what was emitted between two polls comes in one body', async () => {
    const session = await connectedSession(target, 'polling');
    for (let i = 0; i < 3; ++i) await target.emit({ event: 'm', args: [i], sockets: [session.ids['/']] });
    const response = await poll(target, session.sid);
    assert.equal(response.text, [0, 1, 2].map((i) => `42["m",${i}]`).join('\x1e'));
  });

  it('H23: long answers are compressed where the client takes gzip', async () => {
    const session = await connectedSession(cors, 'polling');
    const text = 'z'.repeat(1500);
    const wishes = [['gzip, deflate', 'gzip'], ['br', undefined]];
    if (!kReference) wishes.push(['gzip;q=0', undefined], [undefined, undefined]);
    for (const [accept, encoding] of wishes) {
      await push(cors, session.sid, `42["message","${text}"]`);
      const headers = accept === undefined ? {} : { 'Accept-Encoding': accept };
      const response = await poll(cors, session.sid, { headers });
      assert.equal(response.headers['content-encoding'], encoding, `Accept-Encoding: ${accept}`);
      const body = encoding ? gunzipSync(response.bytes).toString() : response.text;
      assert.equal(body, `42["message-back","${text}"]`);
    }
    await push(cors, session.sid, '42["message","short"]');
    const short = await poll(cors, session.sid, { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(short.headers['content-encoding'], undefined);
    assert.equal(short.text, '42["message-back","short"]');
  });

  it('H24: a preflight of a listed origin is answered', async () => {
    const headers = {
      Origin: kOrigin,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,content-type',
    };
    const response = await engineRequest(cors, 'OPTIONS', {}, { headers });
    assert.equal(response.status, 204);
    assert.equal(response.headers['access-control-allow-origin'], kOrigin);
    const methods = response.headers['access-control-allow-methods'];
    for (const method of ['GET', 'POST']) assert.ok(methods.split(/, */).includes(method), methods);
    const allowed = response.headers['access-control-allow-headers'].toLowerCase().split(/, */);
    for (const name of ['authorization', 'content-type']) assert.ok(allowed.includes(name), String(allowed));
    assert.match(response.headers.vary, /Origin/);
  });

  it('H25, H26: another origin gets its answer without a permission to read it', async () => {
    const preflight = await engineRequest(cors, 'OPTIONS', {}, {
      headers: { Origin: kOther, 'Access-Control-Request-Method': 'POST' },
    });
    assert.equal(preflight.headers['access-control-allow-origin'], undefined);
    const response = await engineRequest(cors, 'GET', {}, { headers: { Origin: kOther } });
    assert.equal(response.status, 200);
    assert.equal(response.headers['access-control-allow-origin'], undefined);
    assert.match(response.headers.vary, /Origin/);
  });

  it('a listed origin may read handshakes, polls, pushes and errors', async () => {
    const headers = { Origin: kOrigin };
    const open = await engineRequest(cors, 'GET', {}, { headers });
    const { sid } = parseOpen(open.text);
    const pushed = await push(cors, sid, '40', { headers });
    const polled = await poll(cors, sid, { headers });
    const unknown = await poll(cors, 'nobody', { headers });
    for (const response of [open, pushed, polled, unknown]) {
      assert.equal(response.headers['access-control-allow-origin'], kOrigin);
    }
    assertEngineError(unknown, 1, 'Session ID unknown');
  });

  it('H27: the cookie names the session, in the answer to a polling handshake only', async () => {
    const response = await engineRequest(cors, 'GET');
    const { sid } = parseOpen(response.text);
    assert.deepEqual(response.headers['set-cookie'], [`io=${sid}; Path=/; HttpOnly; SameSite=Lax`]);
    assert.equal((await push(cors, sid, '40')).headers['set-cookie'], undefined);
    assert.equal((await poll(cors, sid)).headers['set-cookie'], undefined);
    assert.equal((await engineRequest(target, 'GET')).headers['set-cookie'], undefined);
  });

  it('H28: the path is taken without its last slash as well, and no other path', kOurs, async () => {
    const open = await pollingHandshake(target, {}, { path: '/socket.io' });
    assert.equal((await push(target, open.sid, '40', { path: '/socket.io' })).text, 'ok');
    assert.match((await poll(target, open.sid)).text, /^40\{/);
    for (const path of ['/socket.io/more', '/socket.ioo/', '//socket.io/', '/socket.io//', '/Socket.io/']) {
      assert.equal((await engineRequest(target, 'GET', {}, { path })).status, 404, path);
    }
  });

  it('H29: a GET that waits when the server closes is answered 1', async () => {
    const hasty = await startTarget({ socketio: { connect_timeout_ms: 500 } });
    try {
      const { sid } = await pollingHandshake(hasty);
      const response = await poll(hasty, sid);
      assert.deepEqual([response.status, response.text], [200, '1']);
      await assertGone(hasty, sid);
    } finally {
      await hasty.stop();
    }
  });

  it('H30: chunked bodies and Expect: 100-continue are understood', async () => {
    const sid = await joined();
    const query = { EIO: 4, transport: 'polling', sid };
    const type = { 'Content-Type': 'text/plain;charset=UTF-8' };
    const packet = '42["message","chunked"]';
    const chunked = await connectRaw(target);
    const cut = 9;
    const chunks = [packet.slice(0, cut), packet.slice(cut)].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
    const headers = { ...type, 'Transfer-Encoding': 'chunked' };
    chunked.write(requestText(target, 'POST', query, { headers, body: `${chunks.join('')}0\r\n\r\n` }));
    const taken = await chunked.readResponse();
    assert.deepEqual([taken.status, taken.body], [200, 'ok']);
    chunked.destroy();
    assert.equal((await poll(target, sid)).text, '42["message-back","chunked"]');

    const expecting = await connectRaw(target);
    const patient = { ...type, 'Content-Length': 2, Expect: '100-continue' };
    expecting.write(requestText(target, 'POST', query, { headers: patient }));
    assert.equal((await expecting.readResponse()).status, 100);
    expecting.write('40');
    const final = await expecting.readResponse();
    assert.deepEqual([final.status, final.body], [200, 'ok']);
    expecting.destroy();
  });

  it('H31: JSONP is refused', kOurs, async () => {
    const response = await engineRequest(target, 'GET', { j: 3 });
    assert.equal(response.status, 400);
    assert.doesNotMatch(response.text, /___eio/);
  });

  it('a POST is answered ok as the reference does', async () => {
    const sid = await joined();
    const response = await push(target, sid, '42["nobody"]');
    assert.equal(response.text, 'ok');
    assert.match(response.headers['content-type'], /^text\/html/);
    assert.equal(response.headers['content-length'], '2');
    assert.equal(response.headers['cache-control'], 'no-store');
  });

  it('several requests of one session on one kept-alive connection are answered in order', async () => {
    const raw = await connectRaw(target);
    const query = { EIO: 4, transport: 'polling' };
    raw.write(requestText(target, 'GET', query));
    const { sid } = parseOpen((await raw.readResponse()).body);
    const headers = { 'Content-Type': 'text/plain;charset=UTF-8', 'Content-Length': 2 };
    raw.write(requestText(target, 'POST', { ...query, sid }, { headers, body: '40' }));
    assert.equal((await raw.readResponse()).body, 'ok');
    raw.write(requestText(target, 'GET', { ...query, sid }));
    assert.match((await raw.readResponse()).body, /^40\{"sid"/);
    raw.destroy();
  });

  it('transports and upgrades can be switched off', async () => {
    const websocket_only = await startTarget({ socketio: { transports: ['websocket'] } });
    const no_upgrades = await startTarget({ socketio: { upgrades: false } });
    try {
      assertEngineError(await engineRequest(websocket_only, 'GET'), 0, 'Transport unknown');
      assert.deepEqual((await pollingHandshake(no_upgrades)).upgrades, []);
    } finally {
      await Promise.all([websocket_only.stop(), no_upgrades.stop()]);
    }
  });

  it('a thousand packets in one POST are taken', async () => {
    const session = await connectedSession(cors, 'polling');
    const count = 1000;
    await push(cors, session.sid, Array.from({ length: count }, (_, i) => `42["message",${i}]`));
    for (let i = 0; i < count; ++i) await session.expect(`42["message-back",${i}]`);
  });

  it('a GET is held until there is something to say', async () => {
    const session = await connectedSession(target, 'polling');
    const waiting = poll(target, session.sid);
    const early = await Promise.race([waiting, sleep(500).then(() => 'held')]);
    assert.equal(early, 'held');
    await target.emit({ event: 'now', args: [], sockets: [session.ids['/']] });
    assert.equal((await within(waiting, 'the event')).text, '42["now"]');
  });
});
