// What the tests of examples/noc share: the running system, its people, stock clients, and pages in browsers.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { launchBrowser } from './browser.mjs';
import { complaints, Example } from './example.mjs';
import { repository } from './kilat.mjs';
import { Proxy } from './proxy.mjs';

const require = createRequire(join(repository, 'tests/package.json'));
const { io } = require('socket.io-client');
export const Pusher = require('pusher-js');

export const kSoonMs = 30_000;
const kSecret = 'a secret of the test that is long enough';
export const kPages = { width: 1280, height: 900 };

export let noc;
export let browser;
export const tokens = {};
export const clients = [];
const proxies = [];
export const errors = [];

/** Starts the system and a browser, and logs everybody in. */
export async function begin() {
  noc = await new Example('example_noc', { env: { NOC_JWT_SECRET: kSecret } }).start();
  browser = await launchBrowser();
  for (const name of ['admin', 'operator', 'acme', 'harbor']) {
    const { body } = await api('/api/login', { body: { login: name, password: `${name}-demo` } });
    tokens[name] = body;
  }
}

export async function end() {
  for (const client of clients) client.disconnect();
  await browser?.close();
  for (const proxy of proxies) await proxy.stop();
  const code = await noc?.stop();
  const lines = noc?.log.filter((line) => /runtime error|Sanitizer|task failed|handler_threw/.test(line)) ?? [];
  await noc?.remove();
  assert.deepEqual([code, lines], [0, []]);
}

/** A request to a route of the program: {status, headers, body}. */
export async function api(path, { method, token, body, headers = {} } = {}) {
  const answer = await fetch(noc.url(path), {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text.startsWith('{') ? JSON.parse(text) : text };
}

export const staff = () => tokens.operator.token;
export const device = async (name) => (await api('/api/devices')).body.devices.find((entry) => entry.name === name);
export const status = async (query = '') => (await api(`/api/test/ws-status${query}`, { token: staff() })).body;

export async function act(name, action) {
  const answer = await api(`/api/demo/devices/${(await device(name)).id}/${action}`, { method: 'POST', token: staff() });
  assert.equal(answer.status, 202);
}

/** Waits until `look` resolves with something true, and returns it. */
export async function until(look, what) {
  const end = Date.now() + kSoonMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < end, `${what ?? look} in time`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

export const isOnline = (name, wanted = 'online') => until(async () => (await device(name))?.status === wanted, `${name} ${wanted}`);

/** A stock client: connected, or what it was refused with. */
export function connect(token, options = {}) {
  const client = io(noc.url(), { forceNew: true, auth: token ? { token } : {}, ...options });
  clients.push(client);
  return new Promise((done, fail) => {
    client.on('connect', () => done(client));
    client.on('connect_error', fail);
  });
}

/** A page of somebody, in a browser context of their own unless one is given. */
export async function open(session, { context, url = noc.url(), ready = true } = {}) {
  const own = context ?? (await browser.newContext({ viewport: kPages, locale: 'en-GB' }));
  const page = await own.newPage();
  errors.push(complaints(page));
  await page.addInitScript((stored) => {
    if (!location.protocol.startsWith('http')) return;
    if (stored && !sessionStorage.getItem('begun')) localStorage.setItem('noc.session', JSON.stringify(stored));
    sessionStorage.setItem('begun', '1');
    window.toasts = [];
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) {
        for (const node of addedNodes) {
          if (node.classList?.contains('toast')) window.toasts.push(node.textContent);
        }
      }
    }).observe(document, { childList: true, subtree: true });
  }, session);
  await page.goto(url);
  if (ready) await connected(page);
  return page;
}

export async function proxied() {
  const proxy = await new Proxy(() => noc.port).start();
  proxies.push(proxy);
  return proxy;
}

export const sessionOf = (name) => (name ? { token: tokens[name].token, user: tokens[name].user } : { token: null, user: null });
export const tile = (name, state) => `section[aria-labelledby=devices] [data-device="${name}"][data-status=${state}]`;
export const connected = (page) => page.locator('#connection', { hasText: /^connected · \w/ }).waitFor({ timeout: kSoonMs });
export const seen = (page, selector) => page.locator(selector).first().waitFor({ timeout: kSoonMs });
export const alertOf = (text, state) => `section[aria-labelledby=alerts] li[data-status=${state}]:has-text("${text}")`;
export const toasts = (page, text) => page.evaluate((wanted) => window.toasts.filter((one) => one.includes(wanted)).length, text);

const base64url = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
export function forge(claims, secret = kSecret) {
  const text = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
