// The fleet of reverse vending machines (examples/rvm): its routes, and its page in a real browser with the stock clients
// it names, while machines report, operators decide, connections are cut and the program is killed, frozen, restarted.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser } from './browser.mjs';
import { Example, complaints, screenshot } from './example.mjs';
import { repository } from './kilat.mjs';

const require = createRequire(join(repository, 'tests/package.json'));
const Backend = require('pusher');
const PusherClient = require('pusher-js');

/** Bound for anything that should take well under a second: the machine may be busy and the build sanitized. */
const kSoonMs = 20_000;
/** Bound for what needs a time-out of the page and an attempt to reconnect. */
const kBackMs = 60_000;
const kApp = { REVERB_APP_ID: 'fleet', REVERB_APP_KEY: 'fleet-key', REVERB_APP_SECRET: 'fleet-secret' };
const kStill = { ...kApp, RVM_SIMULATION: 'off' };
const kStaff = ['super-admin', 'admin', 'operator', 'technician'];
const kSamples = 30;

let rvm;
let browser;
let backend;
const opened = [];
const tokens = {};

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks a route; {status, body}. */
async function call(path, { token, body, raw, of = rvm } = {}) {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const answer = await fetch(of.url(path), {
    method: sent === undefined ? 'GET' : 'POST',
    headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), 'Content-Type': 'application/json' },
    body: sent,
  });
  return { status: answer.status, body: await answer.json() };
}

async function tokenOf(role, of = rvm) {
  const { status, body } = await call('/api/login', { of, body: { email: `${role}@rvm.example`, password: 'kilat-demo' } });
  assert.equal(status, 200, JSON.stringify(body));
  return body.token;
}

const setStatus = (id, status, role = 'operator', more = {}) =>
  call(`/api/machines/${id}/status`, { token: tokens[role], body: { status, ...more } });

async function machine(id, of = rvm) {
  return (await call('/api/machines', { of })).body.machines.find((one) => one.id === id);
}

/** A page of its own browser context. Its connection can be cut and refused: page.cut(), page.mend(). */
async function open(role, { of = rvm, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  opened.push(context);
  const page = await context.newPage();
  page.complaints = complaints(page);
  page.requested = [];
  page.on('request', (request) => page.requested.push(request));
  await page.routeWebSocket(/\/app\//, (socket) => {
    if (page.isCut) return void socket.close({ code: 1013, reason: 'cut' });
    const server = socket.connectToServer();
    page.cutNow = () => Promise.all([socket.close({ code: 1013, reason: 'cut' }), server.close({ code: 1000, reason: '' })]);
  });
  page.cut = async () => {
    page.isCut = true;
    await page.cutNow();
  };
  page.mend = () => {
    page.isCut = false;
  };
  await page.goto(of.url());
  if (role) await logIn(page, role);
  await waitState(page, 'Live');
  await waitLog(page, 'joined rvm-status');
  return page;
}

async function logIn(page, role) {
  await page.click(`[data-email="${role}@rvm.example"]`);
  await page.click('#login .main');
  await page.waitForSelector('#login-card', { state: 'hidden', timeout: kSoonMs });
  if (kStaff.includes(role)) await page.waitForFunction(() => window.__rvm.staff, null, { timeout: kSoonMs });
}

const waitState = (page, text, timeout = kSoonMs) =>
  page.waitForFunction((wanted) => document.getElementById('connection').textContent.startsWith(wanted), text, { timeout });
const waitText = (page, selector, text, timeout = kSoonMs) =>
  page.waitForFunction(([which, wanted]) => document.querySelector(which)?.textContent.includes(wanted), [selector, text], { timeout });
const waitCell = (page, id, status, timeout = kSoonMs) =>
  page.waitForSelector(`#machines tr[data-id="${id}"][data-status="${status}"] .status:has-text("${status}")`, { timeout });
const waitToast = (page, text) => page.waitForSelector(`.toast:has-text("${text}")`, { timeout: kSoonMs });
const waitLog = (page, text, timeout = kSoonMs) => page.waitForSelector(`#log li:has-text("${text}")`, { timeout });
const bar = (page, status) => page.textContent(`#statuses [data-status="${status}"] .number`).then(Number);
const waitBar = (page, status, count) => waitText(page, `#statuses [data-status="${status}"] .number`, String(count));

/** How often the page has had each change, by channel. */
const received = (page, channel) =>
  page.evaluate((name) => window.__rvm.samples.filter((sample) => sample.channel === name).map((one) => one.change_id), channel);

before(async () => {
  browser = await launchBrowser();
  rvm = new Example('example_rvm', { env: kStill });
  await rvm.start();
  for (const role of [...kStaff, 'visitor', 'machine']) tokens[role] = await tokenOf(role);
  backend = new Backend({ appId: 'fleet', key: 'fleet-key', secret: 'fleet-secret', host: '127.0.0.1', port: String(rvm.port), useTLS: false });
});

after(async () => {
  await browser?.close();
  await rvm?.remove();
});

/** Pages that a test has opened do not outlive it. */
const close = () => Promise.all(opened.splice(0).map((context) => context.close()));

test('Login_WithGoodAndBadCredentials_IsAnsweredClearly', async () => {
  const good = await call('/api/login', { body: { email: 'operator@rvm.example', password: 'kilat-demo' } });
  assert.deepEqual(good.body.user, { id: 'operator', name: 'Oda Operator', roles: ['operator'] });
  const me = await call('/api/me', { token: good.body.token });
  assert.deepEqual(me, { status: 200, body: { user: good.body.user } });
  for (const [body, status] of [
    [{ email: 'operator@rvm.example', password: 'wrong' }, 401],
    [{ email: 'nobody@rvm.example', password: 'kilat-demo' }, 401],
    [{ email: 'operator@rvm.example' }, 422],
    [{ email: 'operator@rvm.example', password: 7 }, 422],
    [{ email: 'operator@rvm.example', password: 'x'.repeat(201) }, 422],
    [['operator@rvm.example'], 400],
  ]) {
    const answer = await call('/api/login', { body });
    assert.equal(answer.status, status, JSON.stringify(body));
    assert.equal(typeof answer.body.error, 'string');
  }
  assert.equal((await call('/api/login', { raw: '{' })).status, 400);
  assert.equal((await call('/api/me')).status, 401);
  const forged = `${good.body.token.slice(0, -4)}AAAA`;
  assert.equal((await call('/api/me', { token: forged })).status, 401);
});

test('Machines_ForEverybody_HavePublicFieldsOnly', async () => {
  const { status, body } = await call('/api/machines');
  assert.equal(status, 200);
  assert.equal(body.machines.length, 24);
  const fields = ['change_id', 'fill_level', 'id', 'last_seen', 'name', 'place', 'status', 'updated_at'];
  for (const one of body.machines) assert.deepEqual(Object.keys(one).sort(), fields);
});

test('Dashboard_ForEachRole_IsThereOrRefused', async () => {
  for (const role of kStaff) {
    const { status, body } = await call('/api/dashboard', { token: tokens[role] });
    assert.equal(status, 200, role);
    assert.equal(body.totals.machines, 24);
    for (const field of ['statuses', 'hours', 'machines', 'history']) assert.ok(body[field], field);
  }
  for (const role of ['visitor', 'machine']) assert.equal((await call('/api/dashboard', { token: tokens[role] })).status, 403);
  assert.equal((await call('/api/dashboard')).status, 401);
});

test('SetStatus_ByRoleAndState_FollowsTheMatrix', async () => {
  const id = 24;
  for (const [role, status, answer] of [
    ['visitor', 'maintenance', 403], ['machine', 'maintenance', 403],
    ['technician', 'maintenance', 200], ['technician', 'active', 200],
    ['technician', 'inactive', 403], ['technician', 'full', 403], ['technician', 'error', 403],
    ['operator', 'error', 200], ['technician', 'active', 200],
    ['operator', 'inactive', 200], ['technician', 'active', 403], ['technician', 'maintenance', 403],
    ['admin', 'full', 200], ['admin', 'inactive', 200], ['admin', 'active', 409],
    ['super-admin', 'maintenance', 200], ['super-admin', 'active', 200], ['super-admin', 'active', 409],
  ]) {
    const { status: got, body } = await setStatus(id, status, role);
    assert.equal(got, answer, `${role} ${status}: ${JSON.stringify(body)}`);
    if (answer === 200) assert.equal((await machine(id)).status, status);
    else assert.equal(typeof body.error, 'string');
  }
  assert.equal((await machine(id)).fill_level, 0, 'a visit empties the machine');
  const { body } = await call('/api/dashboard', { token: tokens.technician });
  const [last, earlier] = body.history.filter((change) => change.rvm_id === id);
  assert.deepEqual([last.changed_by, last.previous_status, last.status], ['Sam Super', 'maintenance', 'active']);
  assert.deepEqual([earlier.changed_by, earlier.status], ['Sam Super', 'maintenance']);
});

test('SetStatus_WithBadInput_IsRefused', async () => {
  assert.equal((await call('/api/machines/1/status', { body: { status: 'error' } })).status, 401);
  for (const [id, body, status] of [
    [1, { status: 'broken' }, 422], [1, { status: 3 }, 422], [1, {}, 422], [1, [], 400],
    [1, { status: 'error', expected: 'dreaming' }, 422], [1, { status: 'error', expected: 'full' }, 409],
    [99, { status: 'error' }, 404], ['x', { status: 'error' }, 404], ['1x', { status: 'error' }, 404], [-1, { status: 'error' }, 404],
  ]) {
    const answer = await call(`/api/machines/${id}/status`, { token: tokens.operator, body });
    assert.equal(answer.status, status, `${id} ${JSON.stringify(body)}`);
    assert.equal(typeof answer.body.error, 'string');
  }
  assert.equal((await machine(1)).status, 'active');
});

test('Deposits_OfAMachine_CountAndFillItUp', async () => {
  const deposit = (id, body, token = tokens.machine) => call(`/api/machines/${id}/deposits`, { token, body });
  for (const [body, status] of [
    [{ material: 'gold', count: 1 }, 422], [{ material: 'pet', count: 0 }, 422], [{ material: 'pet', count: 101 }, 422],
    [{ material: 'pet', count: 1.5 }, 422], [{ material: 'pet' }, 422], ['pet', 400],
  ]) assert.equal((await deposit(23, body)).status, status, JSON.stringify(body));
  assert.equal((await deposit(23, { material: 'pet', count: 1 }, tokens.admin)).status, 403);
  assert.deepEqual((await deposit(23, { material: 'pet', count: 100 })).body, { taken: 100, refused: 0 });
  assert.equal((await machine(23)).fill_level, 50);
  assert.deepEqual((await deposit(23, { material: 'glass', count: 100 })).body, { taken: 75, refused: 25 });
  const full = await machine(23);
  assert.deepEqual([full.status, full.fill_level], ['full', 100]);
  assert.equal((await deposit(23, { material: 'cans', count: 1 })).status, 409);
  const { body } = await call('/api/dashboard', { token: tokens.technician });
  const { pet, glass } = body.machines.find((one) => one.id === 23);
  assert.deepEqual([pet, glass, body.totals.items_24h], [100, 75, 175]);
  assert.equal((await setStatus(23, 'active', 'technician')).status, 200);
  assert.equal((await machine(23)).fill_level, 0);
});

test('Authorization_OfChannels_TakesTheBearerTokenAndFollowsTheRule', async () => {
  const ask = (token, channel = 'private-admin-dashboard') =>
    fetch(rvm.url('/broadcasting/auth'), {
      method: 'POST',
      headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), 'X-CSRF-TOKEN': 'any', 'Content-Type': 'application/json' },
      body: JSON.stringify({ socket_id: '1.1', channel_name: channel }),
    });
  for (const role of kStaff) {
    const answer = await ask(tokens[role]);
    assert.equal(answer.status, 200, role);
    assert.match((await answer.json()).auth, /^fleet-key:[0-9a-f]{64}$/);
  }
  assert.equal((await ask(tokens.visitor)).status, 403);
  assert.equal((await ask(tokens.admin, 'private-other')).status, 403);
  assert.equal((await ask(undefined)).status, 401);
  assert.equal((await ask('nonsense')).status, 401);
});

test('PublicChannel_ForAnAnonymousStockClient_HasNoDashboardDataAndNoNames', async () => {
  const client = new PusherClient('fleet-key', { cluster: '', wsHost: '127.0.0.1', wsPort: rvm.port, forceTLS: false, enabledTransports: ['ws'] });
  try {
    const seen = [];
    client.bind_global((event, data) => seen.push([event, data]));
    const refused = new Promise((done) => client.subscribe('admin-dashboard').bind('pusher:subscription_error', done));
    await new Promise((done) => client.subscribe('rvm-status').bind('pusher:subscription_succeeded', done));
    assert.equal((await refused).type, 'AuthError');
    await setStatus(22, 'maintenance');
    while (!seen.some(([event]) => event === 'rvm.status.updated')) await sleep(20);
    const [, change] = seen.find(([event]) => event === 'rvm.status.updated');
    assert.deepEqual([change.rvm_id, change.rvm_name, change.status, change.previous_status], [22, 'RVM-22', 'maintenance', 'active']);
    assert.ok(!('changed_by' in change));
    assert.ok(!seen.some(([event]) => event === 'dashboard.data.updated'));
  } finally {
    client.disconnect();
    await setStatus(22, 'active');
  }
});

test('StatusChange_ByAnOperator_ChangesTableChartAndToastOnEveryOtherPage', async () => {
  const [operator, admin, visitor] = await Promise.all([open('operator'), open('admin'), open(null)]);
  const others = [admin, visitor];
  const before = await Promise.all(others.map((page) => bar(page, 'maintenance')));
  const loads = others.map((page) => page.requested.filter((one) => one.isNavigationRequest()).length);
  await operator.selectOption('tr[data-id="3"] select', 'maintenance');
  for (const [index, page] of [admin, visitor].entries()) {
    await waitCell(page, 3, 'maintenance');
    await waitBar(page, 'maintenance', before[index] + 1);
    await waitToast(page, 'RVM-03 is maintenance (was active)');
    assert.equal(page.requested.filter((one) => one.isNavigationRequest()).length, loads[index], 'no refresh');
  }
  await waitCell(operator, 3, 'maintenance');
  await waitText(admin, '#changes', 'by Oda Operator');
  assert.ok(!(await visitor.textContent('#changes')).includes('Oda'), 'the public does not learn who it was');
  // A machine of the field reports; staff see the figures move, the public does not get them at all.
  const items = await admin.textContent('#items');
  await call('/api/machines/4/deposits', { token: tokens.machine, body: { material: 'cans', count: 42 } });
  await admin.waitForFunction((old) => document.getElementById('items').textContent !== old, items, { timeout: kSoonMs });
  await waitText(admin, 'tr[data-id="4"] .fill', '7 %');
  await waitText(admin, 'tr[data-id="4"]', '42');
  assert.ok((await admin.locator('#hours rect').count()) === 24);
  assert.equal(await visitor.evaluate(() => window.__rvm.dashboards), 0);
  assert.ok(await visitor.isHidden('#figures-card'));
  assert.ok(await visitor.isHidden('tr[data-id="4"] select'));
  assert.deepEqual([...operator.complaints, ...admin.complaints, ...visitor.complaints], []);
  await close();
  await setStatus(3, 'active');
});

test('AuthRequest_OfThePage_CarriesBearerTokenAndCsrfHeader', async () => {
  const page = await open('technician');
  const asked = page.requested.find((one) => one.url().endsWith('/broadcasting/auth'));
  const headers = await asked.allHeaders();
  assert.match(headers.authorization, /^Bearer ey/);
  assert.match(headers['x-csrf-token'], /^[0-9a-f]{32}$/);
  assert.equal((await asked.response()).status(), 200);
  for (const { url } of page.requested.map((one) => ({ url: one.url() }))) assert.equal(new URL(url).host, `127.0.0.1:${rvm.port}`);
  // What a technician may set, and nothing else, stands in the list.
  assert.deepEqual(await page.$$eval('tr[data-id="1"] select option', (list) => list.map((one) => one.textContent)), ['change…', 'maintenance']);
  await close();
});

test('User_WithoutARole_IsRefusedWithAnExplanationAndSeesThePublicStatus', async () => {
  const page = await open('visitor');
  await waitText(page, '#notice', 'refused admin-dashboard (403)');
  await waitLog(page, 'admin-dashboard refused (403)');
  await setStatus(5, 'error');
  await waitCell(page, 5, 'error');
  await waitToast(page, 'RVM-05 is error');
  assert.deepEqual(await received(page, 'admin-dashboard'), []);
  assert.equal(await page.evaluate(() => window.__rvm.dashboards), 0);
  assert.ok(await page.isHidden('#figures-card'));
  await screenshot(page, 'rvm-visitor');
  await close();
  await setStatus(5, 'active');
});

test('WrongPassword_OnThePage_IsExplainedAndTheRightOneGoesOn', async () => {
  const page = await open(null);
  await page.fill('#email', 'admin@rvm.example');
  await page.fill('#password', 'guess');
  await page.click('#login .main');
  await waitText(page, '#login-error', 'wrong email or password');
  await waitLog(page, 'login: wrong email or password');
  await logIn(page, 'admin');
  await waitText(page, '#who', 'Ada Admin (admin)');
  await page.reload();
  await waitText(page, '#who', 'Ada Admin');
  await page.click('#logout');
  await page.waitForSelector('#login-card:not([hidden])', { timeout: kSoonMs });
  assert.ok(await page.isHidden('#figures-card'));
  assert.deepEqual(page.complaints, []);
  await close();
});

test('Changes_AreListedNewestFirst_AlsoWhenTheHistoryComesAfterThem', async () => {
  const page = await open(null);
  const { change: first } = (await setStatus(16, 'maintenance')).body;
  const { change: second } = (await setStatus(16, 'active')).body;
  await page.waitForSelector(`#changes [data-change="${second.change_id}"]`, { timeout: kSoonMs });
  await logIn(page, 'admin');
  // What was before this page was opened.
  await page.waitForSelector(`#changes [data-change="${first.change_id - 1}"]`, { timeout: kSoonMs });
  const ids = await page.$$eval('#changes [data-change]', (list) => list.map((one) => Number(one.dataset.change)));
  assert.deepEqual(ids, [...ids].sort((one, other) => other - one));
  assert.deepEqual(ids.slice(0, 2), [second.change_id, first.change_id]);
  await page.click('#logout');
  await waitText(page, '#changes .empty', 'None yet');
  assert.equal(await page.locator('#changes li').count(), 1);
  assert.deepEqual(page.complaints, []);
  await close();
});

test('Table_OnAPhone_ShowsAllOfARow', async () => {
  const narrow = { viewport: { width: 390, height: 844 }, isMobile: true, deviceScaleFactor: 2 };
  for (const role of ['operator', null]) {
    const page = await open(role, narrow);
    await page.waitForSelector('#machines tr[data-id="1"] .fill', { timeout: kSoonMs });
    const [content, room] = await page.$eval('.scroll', (box) => [box.scrollWidth, box.clientWidth]);
    assert.ok(content <= room, `${content} px of table on ${room} px`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
    assert.equal(await page.isVisible('tr[data-id="1"] select'), role !== null);
    await screenshot(page, `rvm-phone-${role ?? 'public'}`);
  }
  await close();
});

test('Conflict_OfTwoOperators_IsShownToTheSlowerOne', async () => {
  const page = await open('operator');
  await page.route('**/api/machines/6/status', async (route) => {
    await setStatus(6, 'inactive', 'admin');
    await route.continue();
  });
  await page.selectOption('tr[data-id="6"] select', 'maintenance');
  await waitToast(page, 'somebody else was faster');
  await waitCell(page, 6, 'inactive');
  assert.equal((await machine(6)).status, 'inactive');
  await close();
  await setStatus(6, 'active');
});

test('Event_ThatMakesNoSense_IsLoggedAndSurvived', async () => {
  const page = await open(null);
  await backend.trigger('rvm-status', 'rvm.status.updated', { rvm_id: 'seven' });
  await waitLog(page, 'without the fields it should have');
  await waitToast(page, 'An event made no sense');
  await setStatus(7, 'maintenance');
  await waitCell(page, 7, 'maintenance');
  assert.deepEqual(page.complaints, []);
  await close();
  await setStatus(7, 'active');
});

test('Page_CutFromTheServer_PollsAndThenHasWhatItMissedExactlyOnce', async () => {
  const [page, visitor] = await Promise.all([open('admin'), open(null)]);
  await Promise.all([page.cut(), visitor.cut()]);
  await page.waitForSelector('#polling:not([hidden])', { timeout: kSoonMs });
  await waitLog(page, 'connection');
  const { change: first } = (await setStatus(8, 'maintenance')).body;
  const { change: second } = (await setStatus(9, 'error')).body;
  // The fallback alone shows the present state.
  for (const one of [page, visitor]) {
    await waitCell(one, 8, 'maintenance');
    await waitCell(one, 9, 'error');
  }
  assert.deepEqual(await received(page, 'admin-dashboard'), []);
  page.mend();
  visitor.mend();
  for (const [one, channel] of [[page, 'admin-dashboard'], [visitor, 'rvm-status']]) {
    await one.evaluate(() => document.getElementById('retry').click());
    await waitState(one, 'Live', kBackMs);
    await waitLog(one, 'caught up with', kBackMs);
    await one.waitForSelector('#polling', { state: 'hidden', timeout: kSoonMs });
    await one.waitForSelector(`#changes [data-change="${second.change_id}"]`, { timeout: kSoonMs });
    await waitToast(one, 'RVM-09 is error');
    const { change: later } = (await setStatus(10, channel === 'rvm-status' ? 'active' : 'maintenance')).body;
    await one.waitForSelector(`#changes [data-change="${later.change_id}"]`, { timeout: kSoonMs });
    const ids = await received(one, channel);
    for (const id of [first.change_id, second.change_id, later.change_id]) {
      assert.equal(ids.filter((seen) => seen === id).length, 1, `${channel} ${id} of ${ids}`);
    }
    assert.equal(await one.locator(`#changes [data-change="${first.change_id}"]`).count(), 1);
  }
  assert.deepEqual(page.complaints, []);
  await close();
  await Promise.all([setStatus(8, 'active'), setStatus(9, 'active')]);
});

test('Server_KilledAndRestarted_IsFoundAgainWithItsDataAndWhatWasMissed', async () => {
  const [operator, visitor] = await Promise.all([open('operator'), open(null)]);
  const { change } = (await setStatus(11, 'inactive')).body;
  await Promise.all([waitCell(operator, 11, 'inactive'), waitCell(visitor, 11, 'inactive')]);
  await rvm.kill();
  for (const page of [operator, visitor]) {
    await page.waitForSelector('#polling:not([hidden])', { timeout: kSoonMs });
    await waitLog(page, 'could not fetch the machines: the server cannot be reached');
    assert.match(await page.textContent('#connection'), /^(Not connected: (connection lost \(1006\)|cannot connect)|Connecting again)/);
  }
  // An order that can't be given says so, and changes nothing.
  await operator.selectOption('tr[data-id="12"] select', 'error');
  await waitToast(operator, 'RVM-12: the server cannot be reached');
  await screenshot(operator, 'rvm-server-dead');
  await rvm.start();
  assert.equal((await machine(11)).status, 'inactive');
  assert.equal((await machine(12)).status, 'active');
  const { change: later } = (await setStatus(12, 'maintenance')).body;
  for (const page of [operator, visitor]) {
    await waitState(page, 'Live', kBackMs);
    await page.waitForSelector(`#changes [data-change="${later.change_id}"]`, { timeout: kBackMs });
    await waitCell(page, 12, 'maintenance');
    await waitLog(page, 'caught up with');
    assert.deepEqual((await received(page, 'rvm-status')).filter((id) => id >= change.change_id), [change.change_id, later.change_id]);
    assert.deepEqual(page.complaints, []);
  }
  await close();
  await Promise.all([setStatus(11, 'active'), setStatus(12, 'active')]);
});

test('Server_StoppedAndStarted_SaysGoodbyeAndIsFoundAgain', async () => {
  const page = await open('operator');
  assert.equal(await rvm.stop(), 0);
  await page.waitForSelector('#polling:not([hidden])', { timeout: kSoonMs });
  await rvm.start();
  await waitState(page, 'Live', kBackMs);
  await setStatus(13, 'maintenance');
  await waitCell(page, 13, 'maintenance');
  await close();
  await setStatus(13, 'active');
});

test('Server_Frozen_IsNoticedAndForgivenOnceItThaws', async () => {
  const page = await open('admin');
  rvm.freeze();
  try {
    await page.waitForSelector('#polling:not([hidden])', { timeout: kBackMs });
    await page.waitForSelector('#connection.bad, #connection.wait', { timeout: kSoonMs });
    await waitLog(page, 'the server does not answer');
  } finally {
    rvm.thaw();
  }
  await waitState(page, 'Live', kBackMs);
  const { change } = (await setStatus(14, 'error')).body;
  await waitCell(page, 14, 'error');
  await page.waitForSelector(`#changes [data-change="${change.change_id}"]`, { timeout: kSoonMs });
  assert.deepEqual(page.complaints, []);
  await close();
  await setStatus(14, 'active');
});

test('Token_ThatExpiresDuringTheConnection_EndsTheSessionAndALoginBeginsAnew', async () => {
  const brief = await new Example('example_rvm', { env: { ...kStill, RVM_TOKEN_SECONDS: '6' } }).start();
  try {
    const page = await open('operator', { of: brief });
    await waitToast(page, 'Your session ends in');
    await waitText(page, '#notice', 'Your session has ended', kBackMs);
    await page.waitForSelector('#login-card:not([hidden])', { timeout: kSoonMs });
    assert.ok(await page.isHidden('#figures-card'));
    assert.equal(await page.textContent('tr[data-id="1"] td.staff'), '', 'figures of staff are gone');
    // The public status goes on.
    await waitState(page, 'Live', kBackMs);
    const token = await tokenOf('admin', brief);
    await call('/api/machines/1/status', { of: brief, token, body: { status: 'error' } });
    await waitCell(page, 1, 'error');
    await logIn(page, 'operator');
    assert.ok(await page.isHidden('#notice'));
    assert.ok(await page.isVisible('#figures-card'));
    assert.deepEqual(page.complaints, []);
  } finally {
    await close();
    await brief.remove();
  }
});

test('Simulation_OnceSwitchedOn_MovesTheFleetOnThePage', async () => {
  const alive = await new Example('example_rvm', { env: { ...kApp, RVM_SIMULATION_MS: '20' } }).start();
  try {
    for (const [role, status] of [['operator', 403], ['technician', 403]]) {
      assert.equal((await call('/api/simulation', { of: alive, token: await tokenOf(role, alive), body: { running: false } })).status, status);
    }
    const token = await tokenOf('admin', alive);
    assert.equal((await call('/api/simulation', { of: alive, token, body: { running: 'no' } })).status, 422);
    const page = await open('super-admin', { of: alive });
    assert.ok(await page.isChecked('#simulation'));
    const before = await page.evaluate(() => window.__rvm.dashboards);
    await page.waitForFunction((old) => window.__rvm.dashboards >= old + 3, before, { timeout: kSoonMs });
    await screenshot(page, 'rvm-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await screenshot(page, 'rvm-dark');
    await page.setViewportSize({ width: 390, height: 844 });
    await screenshot(page, 'rvm-phone');
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.uncheck('#simulation');
    const other = await open('admin', { of: alive });
    await other.waitForFunction(() => !document.getElementById('simulation').checked, null, { timeout: kSoonMs });
    const total = async () => (await call('/api/dashboard', { of: alive, token })).body.totals.items_24h;
    const still = await total();
    await sleep(500);
    assert.equal(await total(), still, 'switched off, nothing comes in');
    await other.check('#simulation');
    while ((await total()) === still) await sleep(50);
    const anonymous = await open(null, { of: alive });
    await screenshot(anonymous, 'rvm-public-light');
    await anonymous.emulateMedia({ colorScheme: 'dark' });
    await screenshot(anonymous, 'rvm-public-dark');
    assert.deepEqual([...page.complaints, ...other.complaints, ...anonymous.complaints], []);
  } finally {
    await close();
    await alive.remove();
  }
});

function figures(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1);
  return `median ${at(0.5)} ms, p99 ${at(0.99)} ms (${sorted.length})`;
}

test('Bench_OfConnectionEventAndScreen_IsPrinted', async (t) => {
  const page = await open('admin');
  const connections = [];
  for (let round = 0; round < kSamples; round++) {
    await page.reload();
    await page.waitForFunction(() => window.__rvm.connectMs !== null, null, { timeout: kSoonMs });
    connections.push(await page.evaluate(() => window.__rvm.connectMs));
  }
  await page.waitForFunction(() => window.__rvm.staff, null, { timeout: kSoonMs });
  for (let round = 0; round < kSamples; round++) {
    const { change } = (await setStatus(15, round % 2 === 0 ? 'maintenance' : 'active')).body;
    await page.waitForFunction(
      (id) => window.__rvm.samples.some((one) => one.change_id === id && one.channel === 'admin-dashboard' && one.drawnAt !== null),
      change.change_id, { timeout: kSoonMs });
  }
  const samples = await page.evaluate(() => window.__rvm.samples.filter((one) => one.channel === 'admin-dashboard'));
  assert.equal(samples.length, kSamples);
  t.diagnostic(`rvm connection: ${figures(connections)}`);
  t.diagnostic(`rvm event, from the decision to the page: ${figures(samples.map((one) => one.receivedAt - one.sentAt))}`);
  t.diagnostic(`rvm screen, from the event to the frame: ${figures(samples.map((one) => one.drawnAt - one.receivedAt))}`);
  await close();
});
