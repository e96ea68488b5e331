// The examples, run as they are: the page and the client's script are served, and a conversation takes place.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { ask } from './embed_target.mjs';
import { eventually, kBinary } from './harness.mjs';
import { send } from './http_client.mjs';
import { closeSioClients, sioClient, sioConnected, sioOnce } from './sio_clients.mjs';

const kExamples = path.join(path.dirname(kBinary), 'examples');
const started = [];

async function freePort() {
  const probe = net.createServer();
  await new Promise((resolve) => { probe.listen(0, '127.0.0.1', resolve); });
  const { port } = probe.address();
  await new Promise((resolve) => { probe.close(resolve); });
  return port;
}

async function start(name) {
  const file = path.join(kExamples, name);
  assert.ok(existsSync(file), `no example at ${file}`);
  const port = await freePort();
  const child = spawn(file, [String(port)], { stdio: 'ignore' });
  started.push(child);
  const target = { host: '127.0.0.1', port, path: '/socket.io/' };
  await eventually(() => send(target, 'GET', '/health/live').then(({ status }) => status === 200, () => false), name);
  return target;
}

let chat;
let tutorial;
before(async () => {
  chat = await start('example_chat');
  tutorial = await start('example_get_started');
});
after(async () => {
  for (const child of started) {
    child.kill('SIGTERM');
    const code = await new Promise((resolve) => { child.once('exit', resolve); });
    assert.equal(code, 0);
  }
});
afterEach(() => closeSioClients());

test('Page_AndTheClientsScript_AreServed', async () => {
  for (const target of [chat, tutorial]) {
    const page = await send(target, 'GET', '/');
    assert.equal(page.status, 200);
    assert.match(page.text, /socket\.io\.min\.js/);
    const script = await send(target, 'GET', '/client/socket.io.min.js');
    assert.equal(script.status, 200);
    assert.match(script.headers['content-type'], /javascript/);
  }
});

test('Chat_TwoPeople_HearEachOtherInTheirRoom', async () => {
  const nobody = sioClient(chat, { reconnection: false });
  assert.equal((await sioOnce(nobody, 'connect_error'))[0].message, 'Who are you?');
  const anna = await sioConnected(chat, { auth: { name: 'Anna' } });
  const heard = sioOnce(anna, 'joined');
  const ben = await sioConnected(chat, { auth: { name: 'Ben' } });
  assert.deepEqual(await heard, ['Ben']);
  const said = Promise.all([anna, ben].map((socket) => sioOnce(socket, 'said')));
  assert.equal(await ask(ben, 'say', 'hello'), true);
  assert.deepEqual(await said, [[{ from: 'Ben', text: 'hello' }], [{ from: 'Ben', text: 'hello' }]]);
  const left = sioOnce(anna, 'left');
  assert.equal(await ask(ben, 'room', 'kitchen'), 'kitchen');
  assert.deepEqual(await left, ['Ben']);
});

test('GetStarted_Message_ReachesEverybody', async () => {
  const [a, b] = [await sioConnected(tutorial), await sioConnected(tutorial)];
  const heard = Promise.all([a, b].map((socket) => sioOnce(socket, 'chat message')));
  a.emit('chat message', 'hi');
  assert.deepEqual(await heard, [['hi'], ['hi']]);
});
