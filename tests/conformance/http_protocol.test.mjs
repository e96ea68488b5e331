// Cases 112-117: HTTP itself, health, rate limits and CORS.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { expectHttpError } from './asserts.mjs';
import { assertRow, eventually, startServer } from './harness.mjs';
import { encodeQuery, send, signedParams } from './http_client.mjs';
import { connectRaw } from './raw_ws.mjs';

const kBody = '{"name":"e","channel":"http","data":"1"}';

describe('http_protocol', () => {
  let server;
  before(async () => {
    server = await startServer({
      apps: [
        {},
        { id: 'limited', key: 'limited-key', backend_events_per_second: 2, read_requests_per_second: 2 },
        { id: 123, key: 'numeric-key' },
      ],
      http: { header_bytes_max: 8192, body_bytes_max: 65_536, cors_origins: ['*'] },
    });
  });
  after(() => server?.stop());

  const head = (method, path, body, headers = {}) => {
    const query = encodeQuery(signedParams(server.app, method, path, body));
    const all = { Host: 'localhost', 'Content-Type': 'application/json', ...headers };
    if (body !== undefined && !('Transfer-Encoding' in all)) all['Content-Length'] = Buffer.byteLength(body);
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    return `${method} ${path}?${query} HTTP/1.1\r\n${lines.join('')}\r\n`;
  };
  const postHead = (headers) => head('POST', '/apps/app-id/events', kBody, headers);

  it('case 112: an unknown path is answered 404', async () => {
    assertRow('http_not_found', { httpStatus: 404 });
    for (const path of ['/nothing', '/apps', '/apps/app-id/nothing', '/apps/app-id/channels/c/nothing']) {
      const query = encodeQuery(signedParams(server.app, 'GET', path));
      await expectHttpError(server, await send(server, 'GET', `${path}?${query}`), 'http_not_found');
    }
  });

  it('case 112: a wrong method on a known path is answered 405 with Allow', async () => {
    assertRow('http_method_not_allowed', { httpStatus: 405 });
    const response = await server.request('GET', '/events');
    await expectHttpError(server, response, 'http_method_not_allowed');
    assert.match(response.headers.allow, /\bPOST\b/);
    const put = await server.request('PUT', '/channels', { body: '{}' });
    await expectHttpError(server, put, 'http_method_not_allowed');
    assert.match(put.headers.allow, /\bGET\b/);
  });

  it('case 112: a plain GET on the socket path asks for an upgrade', async () => {
    assertRow('ws_upgrade_required', { httpStatus: 426 });
    const response = await send(server, 'GET', '/app/app-key?protocol=7');
    await expectHttpError(server, response, 'ws_upgrade_required');
  });

  it('case 112: health paths answer without authentication', async () => {
    for (const path of ['/', '/ready']) {
      const response = await send(server, 'GET', path);
      assert.deepEqual([response.status, response.text.trim()], [200, 'OK']);
    }
    const up = await send(server, 'GET', '/up');
    assert.deepEqual([up.status, up.json], [200, { health: 'OK' }]);
  });

  it('case 113: pipelined requests on one connection are answered in order', async () => {
    const client = await server.connect();
    await client.subscribe('http');
    const raw = await connectRaw(server);
    const get = head('GET', '/apps/app-id/channels/http', undefined);
    raw.write(postHead() + kBody + get + postHead() + kBody);
    const first = await raw.readResponse();
    assert.deepEqual([first.status, first.body], [200, '{}']);
    assert.match(first.head, /^HTTP\/1\.1 /);
    const second = await raw.readResponse();
    assert.equal(JSON.parse(second.body).occupied, true);
    const third = await raw.readResponse();
    assert.deepEqual([third.status, third.body], [200, '{}']);
    await client.barrier('http');
    assert.equal(client.all('e').length, 2);
    raw.destroy();
    client.terminate();
  });

  it('case 114: Expect: 100-continue is answered, then the request', async () => {
    const raw = await connectRaw(server);
    raw.write(postHead({ Expect: '100-continue' }));
    const interim = await raw.readResponse();
    assert.equal(interim.status, 100);
    raw.write(kBody);
    const response = await raw.readResponse();
    assert.deepEqual([response.status, response.body], [200, '{}']);
    raw.destroy();
  });

  it('case 114: a chunked body is taken', async () => {
    const raw = await connectRaw(server);
    raw.write(postHead({ 'Transfer-Encoding': 'chunked' }));
    for (const piece of [kBody.slice(0, 7), kBody.slice(7)]) {
      raw.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
    }
    raw.write('0\r\n\r\n');
    const response = await raw.readResponse();
    assert.deepEqual([response.status, response.body], [200, '{}']);
    raw.destroy();
  });

  it('case 114: a request in pieces of TCP is taken', async () => {
    const raw = await connectRaw(server);
    const text = postHead() + kBody;
    const cuts = [0, 3, 40, text.length - kBody.length - 1, text.length - 5, text.length];
    for (let i = 1; i < cuts.length; ++i) {
      raw.write(text.slice(cuts[i - 1], cuts[i]));
      // Only to make separate segments likely; the outcome does not depend on it.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const response = await raw.readResponse();
    assert.deepEqual([response.status, response.body], [200, '{}']);
    raw.destroy();
  });

  it('case 114: a body over body_bytes_max is refused with 413', async () => {
    assertRow('http_body_too_large', { httpStatus: 413 });
    const raw = await connectRaw(server);
    raw.write('POST /apps/app-id/events HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n');
    const response = await raw.readResponse();
    assert.equal(response.status, 413);
    assert.equal(JSON.parse(response.body).reason, 'http_body_too_large');
    raw.destroy();
  });

  it('case 114: a header over header_bytes_max is refused with 431', async () => {
    assertRow('http_header_too_large', { httpStatus: 431 });
    const raw = await connectRaw(server);
    raw.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(9000)}\r\n\r\n`);
    const response = await raw.readResponse();
    assert.equal(response.status, 431);
    assert.equal(JSON.parse(response.body).reason, 'http_header_too_large');
    raw.destroy();
  });

  it('case 114: bytes that are not HTTP are refused with 400', async () => {
    assertRow('http_malformed', { httpStatus: 400 });
    const raw = await connectRaw(server);
    raw.write('\u0016\u0003\u0001 no HTTP at all\r\n\r\n');
    const response = await raw.readResponse();
    assert.equal(response.status, 400);
    assert.equal(JSON.parse(response.body).reason, 'http_malformed');
    await raw.waitEnd();
    raw.destroy();
  });

  it('case 115: more events a second than allowed are answered 429 with the headers', async () => {
    assertRow('api_rate_limited', { httpStatus: 429 });
    const app = server.apps[1];
    const client = await server.connect({ key: app.key, app });
    const channels = ['a', 'b', 'c'];
    for (const channel of channels) await client.subscribe(channel);
    const post = (list, name) =>
      server.request('POST', '/events', { app, body: { name, channels: list, data: '1' } });
    const response = await post(channels, 'refused');
    await expectHttpError(server, response, 'api_rate_limited');
    assert.ok(Number(response.headers['retry-after']) >= 0, 'Retry-After');
    assert.equal(Number(response.headers['x-ratelimit-limit']), 2);
    assert.ok(Number(response.headers['x-ratelimit-remaining']) >= 0, 'X-RateLimit-Remaining');
    for (const channel of channels) {
      await eventually(async () => (await post([channel], 'marker')).status === 200, 'an event within the limit');
      await client.waitFor((f) => f.event === 'marker' && f.channel === channel);
    }
    assert.deepEqual(client.all('refused'), []);
    client.terminate();
  });

  it('case 115: more reads a second than allowed are answered 429', async () => {
    const app = server.apps[1];
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => server.request('GET', '/channels', { app })),
    );
    const refused = responses.filter((response) => response.status !== 200);
    assert.ok(refused.length > 0, 'some of twenty at once are over a limit of two a second');
    for (const response of refused) await expectHttpError(server, response, 'api_rate_limited');
  });

  it('case 116: OPTIONS with an Origin is answered with CORS headers', async () => {
    const headers = {
      Origin: 'https://page.example',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'content-type',
    };
    const response = await send(server, 'OPTIONS', '/apps/app-id/events', { headers });
    assert.ok([200, 204].includes(response.status), String(response.status));
    assert.ok(['*', 'https://page.example'].includes(response.headers['access-control-allow-origin']));
    assert.match(response.headers['access-control-allow-methods'], /\bPOST\b/);
    assert.match(response.headers['access-control-allow-headers'], /content-type|\*/i);
    const get = await server.request('GET', '/channels', { headers: { Origin: 'https://page.example' } });
    assert.ok(['*', 'https://page.example'].includes(get.headers['access-control-allow-origin']));
  });

  it('case 117: a numeric app id in the configuration works', async () => {
    const app = server.apps[2];
    const client = await server.connect({ key: app.key, app });
    await client.subscribe('case-117');
    const body = { name: 'e', channel: 'case-117', data: '1' };
    const response = await server.request('POST', '/events', { app, body });
    assert.equal(response.status, 200, response.text);
    await client.waitFor('e');
    client.terminate();
  });
});
