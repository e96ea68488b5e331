// A C++ program with the server inside: its HTTP routes, its static files, and what it decides about Pusher clients.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { expectSubscriptionError } from './asserts.mjs';
import { ask, startEmbedded } from './embed_target.mjs';
import { eventually } from './harness.mjs';
import { send } from './http_client.mjs';
import { connected, disconnectAll, pusherJs, subscribed } from './sdk_clients.mjs';
import { closeSioClients, sioConnected } from './sio_clients.mjs';

let server;
let root;
before(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'kilat-embed-'));
  const site = path.join(root, 'site');
  mkdirSync(path.join(site, 'deep'), { recursive: true });
  mkdirSync(path.join(site, '.hidden'));
  writeFileSync(path.join(root, 'secret.txt'), 'secret');
  writeFileSync(path.join(site, 'index.html'), '<h1>index</h1>');
  writeFileSync(path.join(site, 'deep/index.html'), 'deep');
  writeFileSync(path.join(site, 'app.js'), 'let x;');
  writeFileSync(path.join(site, 'a file.css'), 'a{}');
  writeFileSync(path.join(site, '.hidden/x'), 'hidden');
  writeFileSync(path.join(site, '.env'), 'hidden');
  symlinkSync(path.join(root, 'secret.txt'), path.join(site, 'out.txt'));
  symlinkSync('/', path.join(site, 'rootdir'));
  symlinkSync('app.js', path.join(site, 'inside.js'));
  server = await startEmbedded({ files: site });
});
after(async () => {
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});
afterEach(() => {
  closeSioClients();
  disconnectAll();
});

const get = (target, headers) => send(server, 'GET', target, { headers });

// --- routes

test('Route_PathParameterAndQuery_AreDecoded', async () => {
  const response = await get('/hello/w%C3%B6rld?a=1+2&b=%26');
  assert.equal(response.status, 200);
  assert.equal(response.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(response.text), { hello: 'wörld', query: { a: '1 2', b: '&' } });
  assert.equal((await get('/rest/a/b/c')).text, 'a/b/c');
});

test('Route_PostWithBody_IsAnswered', async () => {
  const response = await send(server, 'POST', '/sum', { body: '[1,2,39]', headers: { 'User-Agent': 'a test' } });
  assert.deepEqual(JSON.parse(response.text), { sum: 42, agent: 'a test' });
  assert.equal((await send(server, 'POST', '/sum', { body: '[' })).status, 400);
});

test('Route_OtherMethod_IsRefusedWithAllow', async () => {
  const response = await send(server, 'PUT', '/sum', { body: 'x' });
  assert.equal(response.status, 405);
  assert.equal(response.headers.allow, 'POST');
  assert.equal((await send(server, 'HEAD', '/hello/x')).status, 200);
});

test('Route_AnswersLater_OrNever_OrThrows', async () => {
  assert.equal((await get('/later')).text, 'later\n');
  assert.equal((await get('/never')).status, 500);
  const since = server.logs.length;
  assert.equal((await get('/throws')).status, 500);
  await server.waitForLog((line) => line.event === 'handler_threw' && line.name === '/throws', 'the throw', { since });
  assert.equal((await get('/hello/x')).status, 200);
});

test('Route_ValueWithLineEnd_AddsNoHeader', async () => {
  const response = await get('/split');
  assert.equal(response.headers['set-cookie'], undefined);
});

test('Route_PathOfTheServer_StaysTheServers', async () => {
  assert.equal((await get('/health/live')).status, 200);
  assert.equal((await get('/apps/app-id/channels')).status, 401);
  assert.equal((await get('/socket.io/?EIO=4&transport=polling')).status, 200);
});

// --- files

test('Files_TypesAndIndexes_AreServed', async () => {
  for (const [target, type, text] of [
    ['/', 'text/html; charset=utf-8', '<h1>index</h1>'],
    ['/index.html', 'text/html; charset=utf-8', '<h1>index</h1>'],
    ['/deep/', 'text/html; charset=utf-8', 'deep'],
    ['/app.js', 'text/javascript; charset=utf-8', 'let x;'],
    ['/inside.js', 'text/javascript; charset=utf-8', 'let x;'],
    ['/a%20file.css', 'text/css; charset=utf-8', 'a{}'],
  ]) {
    const response = await get(target);
    assert.equal(response.status, 200, target);
    assert.equal(response.headers['content-type'], type, target);
    assert.equal(response.text, text, target);
  }
  const moved = await get('/deep');
  assert.equal(moved.status, 301);
  assert.equal(moved.headers.location, '/deep/');
});

test('Files_KnownETag_IsAnswered304', async () => {
  const { headers } = await get('/app.js');
  const again = await get('/app.js', { 'If-None-Match': headers.etag });
  assert.equal(again.status, 304);
  assert.equal(again.text, '');
  assert.equal((await get('/app.js', { 'If-None-Match': '"other"' })).status, 200);
});

test('Files_WaysOut_AreNotFound', async () => {
  for (const target of [
    '/../secret.txt', '/%2e%2e/secret.txt', '/deep/..%2f../secret.txt', '/..%2fsecret.txt', '/%2e%2e%2fsecret.txt',
    '/out.txt', '/rootdir/etc/passwd', '/.env', '/.hidden/x', '/deep/%5c..%5csecret.txt', '/app.js%00.html',
    '//etc/passwd', '/nothing.txt', '/app.js/', '/app.js/x',
  ]) {
    const response = await get(target);
    assert.equal(response.status, 404, `${target}: ${response.status} ${response.text}`);
    assert.ok(!response.text.includes('secret'), target);
  }
});

// --- Pusher

test('OnSubscribe_HandlerRefuses_SubscriptionErrorSaysSo', async () => {
  const client = await server.connect();
  await client.subscribe('allowed');
  for (const channel of ['forbidden-1', 'throwing']) {
    client.sendSubscribe(channel);
    await expectSubscriptionError(client, channel, 'handler_refused');
  }
  await client.join('presence-hall', 'anna');
  client.unsubscribe('allowed');
  await client.ping();
  const socket = await sioConnected(server);
  const log = await ask(socket, 'log');
  for (const line of ['subscribe allowed ', 'subscribe presence-hall anna', 'unsubscribe allowed', `pusher ${client.socket_id}`]) {
    assert.ok(log.includes(line), `${line} in ${log}`);
  }
  client.terminate();
  await eventually(async () => (await ask(socket, 'log')).includes(`pusher gone ${client.socket_id}`), 'on_disconnect');
});

test('OnSubscribe_RealClient_SubscribesAndHearsWhatTheProgramPublishes', async () => {
  const client = pusherJs(server);
  await connected(client);
  const [channel] = await subscribed(client, 'news-room');
  const heard = new Promise((resolve) => { channel.bind('news', resolve); });
  assert.deepEqual(JSON.parse((await get('/publish?channel=news-room')).text), { done: true });
  assert.deepEqual(await heard, { n: 1 });
  assert.deepEqual(JSON.parse((await get(`/publish?channel=${'x'.repeat(300)}`)).text), { done: false });
});

test('OnClientEvent_HandlerRefuses_OthersDoNotGetIt', async () => {
  const [sender, reader] = [await server.connect(), await server.connect()];
  await sender.subscribe('private-x');
  await reader.subscribe('private-x');
  sender.trigger('client-forbidden', 'private-x', {});
  sender.trigger('client-allowed', 'private-x', {});
  await reader.waitFor('client-allowed');
  assert.equal(reader.all('client-forbidden').length, 0);
  await server.refusedLog('handler_refused');
});

test('SignedInUser_IsKnownToTheHandlers', async () => {
  const [sender, reader] = [await server.connect(), await server.connect()];
  for (const client of [sender, reader]) await client.subscribe('private-x');
  sender.sendSubscribe('of-anna');
  await expectSubscriptionError(sender, 'of-anna', 'handler_refused');
  sender.trigger('client-of-anna', 'private-x', { n: 1 });
  await server.refusedLog('handler_refused');
  await sender.signin({ id: 'anna' });
  await sender.subscribe('of-anna');
  sender.trigger('client-of-anna', 'private-x', { n: 2 });
  const heard = await reader.waitFor('client-of-anna');
  assert.deepEqual(heard.data, { n: 2 });
});
