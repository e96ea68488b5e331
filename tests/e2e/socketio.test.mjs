// The unmodified socket.io-client and pusher-js in one page of a real browser, on another origin than the server: each
// transport connects, one publish reaches both, and they come back when the server was killed.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser } from './browser.mjs';
import { Site, repository } from './kilat.mjs';

const kSoonMs = 20_000;
const kTransports = { polling: ['polling'], websocket: ['websocket'], upgrade: ['polling', 'websocket'] };
const modules = join(repository, 'tests/node_modules');
const scripts = {
  '/io.js': join(modules, 'socket.io-client/dist/socket.io.min.js'),
  '/pusher.js': join(modules, 'pusher-js/dist/web/pusher.min.js'),
};

let site;
let server;
let browser;
let page;
let pageServer;

before(async () => {
  site = new Site();
  server = await site.serve();
  site.listen(server.port);
  pageServer = createServer((request, response) => {
    const script = scripts[request.url];
    response.writeHead(200, { 'Content-Type': script ? 'text/javascript' : 'text/html' });
    response.end(script ? readFileSync(script) : '<script src="/io.js"></script><script src="/pusher.js"></script>');
  });
  await new Promise((done) => pageServer.listen(0, '127.0.0.1', done));
  browser = await launchBrowser();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${pageServer.address().port}/`);
  await page.evaluate(async ({ port, transports }) => {
    window.seen = {};
    window.sockets = {};
    const note = (who, data) => (window.seen[who] ??= []).push(data);
    const ready = [];
    for (const [name, list] of Object.entries(transports)) {
      const socket = io(`http://127.0.0.1:${port}`, { transports: list, forceNew: true, reconnectionDelay: 200 });
      window.sockets[name] = socket;
      socket.on('order.paid', (data) => note(name, data));
      ready.push(new Promise((done) => {
        socket.on('connect', () => socket.emit('subscribe', 'orders', (answer) => {
          note(`${name} joined`, answer);
          done();
        }));
      }));
    }
    const pusher = new Pusher('plant-key', {
      cluster: '', wsHost: '127.0.0.1', wsPort: port, forceTLS: false, enabledTransports: ['ws'],
    });
    pusher.subscribe('orders').bind('order.paid', (data) => note('pusher', data));
    ready.push(new Promise((done) => {
      pusher.channel('orders').bind('pusher:subscription_succeeded', () => {
        note('pusher joined', true);
        done();
      });
    }));
    await Promise.all(ready);
  }, { port: server.port, transports: kTransports });
});

after(async () => {
  await browser?.close();
  pageServer?.close();
  await site?.remove();
});

const publish = (text) => site.run([
  'publish', '--config', site.config, '--url', `http://127.0.0.1:${server.port}`, 'plant', 'orders', 'order.paid', text,
]);

const everybodySaw = (number) => page.waitForFunction(
  ([names, wanted]) => names.every((name) => (window.seen[name] ?? []).some((data) => data.number === wanted)),
  [[...Object.keys(kTransports), 'pusher'], number],
  { timeout: kSoonMs },
);

test('SocketIo_EveryTransport_ConnectsFromAnotherOrigin', async () => {
  await page.waitForFunction(() => window.sockets.upgrade.io.engine.transport.name === 'websocket', null, {
    timeout: kSoonMs,
  });
  const names = await page.evaluate(() =>
    Object.fromEntries(Object.entries(window.sockets).map(([name, socket]) => [name, socket.io.engine.transport.name])));
  assert.deepEqual(names, { polling: 'polling', websocket: 'websocket', upgrade: 'websocket' });
  assert.deepEqual(await page.evaluate(() => window.seen['polling joined']), [{ ok: true }]);
});

test('SocketIo_OnePublish_ReachesBothKindsOfClient', async () => {
  await publish('{"number":1}');
  await everybodySaw(1);
  const seen = await page.evaluate(() => window.seen);
  for (const name of [...Object.keys(kTransports), 'pusher']) assert.deepEqual(seen[name], [{ number: 1 }], name);
});

test('SocketIo_ServerKilledAndStartedAgain_ClientsComeBackByThemselves', async () => {
  await site.end(server.process, 'SIGKILL');
  await page.waitForFunction(() => Object.values(window.sockets).every((socket) => !socket.connected), null, {
    timeout: kSoonMs,
  });
  server = await site.serve();
  await page.waitForFunction(
    () => ['polling', 'websocket', 'upgrade', 'pusher'].every((name) => window.seen[`${name} joined`].length > 1),
    null,
    { timeout: 45_000 },
  );
  await publish('{"number":2}');
  await everybodySaw(2);
});
