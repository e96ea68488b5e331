// The package in pages of a real browser: CHROMIUM names another one than /usr/bin/chromium.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import { chromium } from 'playwright-core';

import { FakePusherServer } from './fake_pusher_server.mjs';
import { eventually, kWaitMs } from './wait.mjs';

const modules = createRequire(import.meta.url);
let server;
let browser;
let context;

before(async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../dist/index.js', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'kilat',
  });
  const scripts = {
    '/pusher.js': readFileSync(modules.resolve('pusher-js/dist/web/pusher.min.js')),
    '/kilat.js': outputFiles[0].contents,
  };
  const page = '<!doctype html><title>kilat-js</title><script src="/pusher.js"></script><script src="/kilat.js"></script>';
  server = await FakePusherServer.start((request, response) => {
    const script = scripts[request.url];
    response.writeHead(200, { 'Content-Type': script ? 'text/javascript' : 'text/html' });
    response.end(script ?? page);
  });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
});
after(async () => {
  await browser?.close();
  await server?.close();
});
afterEach(async () => {
  await context?.close();
  context = undefined;
  await eventually(() => server.connections === 0, 'the end of all connections');
  server.forget(`epoch-${Date.now()}`);
});

/** One more page of the same browser profile, with `script` run in it. */
async function open(script, argument) {
  context ??= await browser.newContext();
  const page = await context.newPage();
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(String(error)));
  await page.goto(`http://127.0.0.1:${server.port}/`);
  await page.evaluate(script, { port: server.port, ...argument });
  return page;
}

const kOptions = `{ cluster: '', wsHost: '127.0.0.1', wsPort: port, forceTLS: false, enabledTransports: ['ws'], enableStats: false }`;

/** A tab of a shared connection that notes the numbers of channel "c". */
const kShare = `({ port }) => {
  window.numbers = [];
  window.shared = kilat.sharedConnection({
    name: 'pages',
    adapter: kilat.pusherAdapter(() => new Pusher('key', ${kOptions}), { recovery: (pusher) => kilat.withRecovery(pusher) }),
  });
  window.channel = shared.subscribe('c');
  channel.bind('e', ({ n }) => window.numbers.push(n));
}`;
const share = () => open(eval(kShare));
const subscribed = (...pages) => Promise.all(pages.map((page) => page.waitForFunction('channel.subscribed', null, { timeout: kWaitMs })));
const saw = (n, ...pages) =>
  Promise.all(pages.map((page) => page.waitForFunction((wanted) => window.numbers.includes(wanted), n, { timeout: kWaitMs })));
const numbersOf = (page) => page.evaluate('numbers');
const publish = (...values) => {
  for (const n of values) server.publish('c', 'e', { n });
};

test('ThreePages_ShareOneConnection_AndSurviveTheirLeaders', async () => {
  const first = await share();
  await subscribed(first);
  const second = await share();
  const third = await share();
  await subscribed(second, third);
  assert.equal(server.connections, 1);
  publish(1, 2);
  await saw(2, first, second, third);

  await first.close();
  publish(3);
  await saw(3, second, third);
  assert.equal(server.connections, 1);

  const leads = await second.evaluate('shared.leading');
  const [leader, last] = leads ? [second, third] : [third, second];
  assert.equal(await leader.evaluate('shared.leading'), true);
  // As a crash: no handler of the page runs.
  const crashed = new Promise((resolve) => leader.once('crash', resolve));
  leader.goto('chrome://crash').catch(() => {});
  await crashed;
  publish(4);
  await saw(4, last);
  publish(5);
  await saw(5, last);
  assert.deepEqual(await numbersOf(last), [1, 2, 3, 4, 5]);
  assert.equal(server.connections, 1);
  assert.deepEqual(last.errors, []);
});

test('LastPageThatHoldsAChannel_EndsItsSubscription', async () => {
  const first = await share();
  await subscribed(first);
  const second = await share();
  await second.evaluate(`shared.subscribe('d').bind('e', () => {})`);
  await eventually(() => server.subscribers('d') === 1, 'the second channel');
  await second.close();
  await eventually(() => server.subscribers('d') === 0, 'its end');
  assert.equal(server.subscribers('c'), 1);
});

test('LeadingPageThatNavigatesAway_AndBack_IsATabAgain', async () => {
  const first = await share();
  await subscribed(first);
  const second = await share();
  await subscribed(second);
  await first.goto('about:blank');
  await second.waitForFunction('shared.leading && channel.subscribed', null, { timeout: kWaitMs });
  publish(1);
  await saw(1, second);
  assert.deepEqual(await numbersOf(second), [1]);
});

test('ReloadedPage_GoesOnWhereItWas', async () => {
  const script = eval(`({ port }) => {
    window.numbers = [];
    const pusher = new Pusher('key', ${kOptions});
    kilat.withRecovery(pusher, { storage: sessionStorage });
    window.channel = pusher.subscribe('c');
    channel.bind('e', ({ n }) => window.numbers.push(n));
  }`);
  const page = await open(script);
  await subscribed(page);
  publish(1, 2);
  await saw(2, page);
  await page.goto('about:blank');
  await eventually(() => server.connections === 0, 'the end of the page');
  publish(3, 4);
  await page.goto(`http://127.0.0.1:${server.port}/`);
  await page.evaluate(script, { port: server.port });
  await saw(4, page);
  assert.deepEqual(await numbersOf(page), [3, 4]);
});

test('LiveSeries_DrawsOnAnimationFrames', async () => {
  const page = await open(() => {
    window.draws = 0;
    window.series = new window.kilat.LiveSeries({ draw: () => window.draws++ });
    for (let i = 0; i < 5000; i++) window.series.push('a', i, i);
  });
  await page.waitForFunction('draws === 1', null, { timeout: kWaitMs });
  // Some frames without a reading are frames without a drawing.
  await page.evaluate(() => new Promise((resolve) => {
    let frames = 0;
    const count = () => (++frames === 5 ? resolve() : requestAnimationFrame(count));
    requestAnimationFrame(count);
  }));
  const { points, updates, renders } = await page.evaluate('series.metrics()');
  assert.deepEqual({ points, updates, renders }, { points: 1000, updates: 5000, renders: 1 });
});

test('ConnectionStatus_GoesOffline_AndComesBackAtOnceWithTheNetwork', async () => {
  const page = await open(eval(`({ port }) => {
    window.pusher = new Pusher('key', ${kOptions});
    window.status = undefined;
    window.watch = kilat.connectionStatus(pusher, { delayMs: 600_000, delayMaxMs: 600_000 });
    window.states = [];
    watch.subscribe(({ state }) => states.push(state));
  }`));
  await page.waitForFunction(`watch.current().state === 'connected'`, null, { timeout: kWaitMs });
  server.cut();
  await page.waitForFunction(`watch.current().state === 'error'`, null, { timeout: kWaitMs });
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await page.waitForFunction(`watch.current().state === 'connected'`, null, { timeout: kWaitMs });
});
