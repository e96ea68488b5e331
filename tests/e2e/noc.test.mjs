// The network operations centre (examples/noc) in real browsers: devices that are stopped and slowed down, alerts, rooms,
// tokens, polling, shared tabs, and a server that is killed, frozen and cut off in between.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';

import { complaints, screenshot } from './example.mjs';
import {
  act, alertOf, api, begin, browser, clients, connect, connected, device, end, errors, forge, isOnline, kPages,
  kSoonMs, noc, open, proxied, Pusher, seen, sessionOf, staff, status, tile, toasts, tokens, until,
} from './noc_world.mjs';

before(begin);
after(end);

// --- the routes

test('Routes_WithoutRights_AnswerWhy', async () => {
  assert.deepEqual((await api('/health')).body, { status: 'ok', devices: 8 });
  assert.equal((await api('/api/alerts')).status, 401);
  assert.equal((await api('/api/logs', { token: 'nonsense' })).status, 401);
  const expired = forge({ sub: 'operator', name: 'x', roles: ['operator'], exp: Math.floor(Date.now() / 1000) - 60 });
  assert.deepEqual((await api('/api/devices', { token: expired })).body, { error: 'the token is not valid, or has expired' });
  for (const path of ['/api/logs', '/api/payments', '/api/bandwidth', '/api/test/ws-status?user=acme']) {
    assert.equal((await api(path, { token: tokens.acme.token })).status, 403, path);
  }
  for (const [path, method] of [['/api/devices', 'POST'], ['/api/demo/devices/1/stop', 'POST'], ['/api/devices/1', 'DELETE']]) {
    assert.equal((await api(path, { method, body: {} })).status, 401, path);
    assert.equal((await api(path, { method, body: {}, token: tokens.acme.token })).status, 403, path);
  }
  assert.equal((await api('/api/login', { body: { login: 'admin', password: 'wrong' } })).status, 401);
  assert.equal((await api('/api/devices')).body.devices.length, 8);
});

test('Logins_TooManyAtATime_AreRefused_AndTheNextIsWelcome', async () => {
  const attempt = async (password) => (await api('/api/login', { body: { login: 'admin', password } })).status;
  const seenCodes = new Set();
  await until(async () => {
    for (const code of await Promise.all(Array.from({ length: 60 }, () => attempt('wrong')))) seenCodes.add(code);
    return seenCodes.has(429);
  }, 'a refusal');
  assert.deepEqual([...seenCodes].sort(), [401, 429]);
  assert.equal(await attempt('admin-demo'), 200);
});

test('Routes_WithBadInput_AnswerWhatIsWrong', async () => {
  const token = staff();
  const good = { name: 'x', address: '127.0.0.1', port: 1 };
  const refused = [
    ['no json', 400], [[], 400], [{}, 400], [{ ...good, name: '' }, 400], [{ ...good, name: 'a\nb' }, 400],
    [{ ...good, name: 'x'.repeat(61) }, 400], [{ ...good, address: 'router.example' }, 400], [{ ...good, address: '8.8.8.8' }, 403],
    [{ ...good, address: '169.254.169.254' }, 403], [{ ...good, address: '::ffff:8.8.8.8' }, 403], [{ ...good, address: '0.0.0.0' }, 403],
    [{ ...good, port: 0 }, 400], [{ ...good, port: 65_536 }, 400], [{ ...good, port: '80' }, 400], [{ ...good, kind: 'icmp' }, 400],
    [{ ...good, kind: 'http', path: 'x' }, 400], [{ ...good, kind: 'http', path: '/ HTTP/1.1' }, 400],
    [{ ...good, latency_ms_max: -1 }, 400], [{ ...good, customer_id: 'nobody' }, 400],
  ];
  for (const [body, wanted] of refused) {
    const answer = await api('/api/devices', { token, body });
    assert.equal(answer.status, wanted, JSON.stringify(body));
    assert.equal(typeof answer.body.error, 'string', JSON.stringify(body));
  }
  const { id } = await device('Core router');
  assert.equal((await api(`/api/devices/${id}`, { method: 'DELETE', token })).status, 409);
  assert.equal((await api('/api/devices/99999', { method: 'DELETE', token })).status, 404);
  assert.equal((await api(`/api/demo/devices/${id}/burn`, { method: 'POST', token })).status, 404);
  assert.equal((await api('/api/alerts/x/acknowledge', { method: 'POST', token })).status, 404);
  assert.equal((await api('/api/alerts/99999/acknowledge', { method: 'POST', token })).status, 404);
  assert.equal((await api('/api/bandwidth?interface=nope', { token })).status, 404);
  assert.equal((await api('/api/customers/nobody', { token })).status, 404);
  assert.equal((await api('/api/customers/acme/payments', { token, body: { invoice_id: 'x' } })).status, 400);
  assert.equal((await api('/api/customers/acme/payments', { token, body: { invoice_id: 99_999 } })).status, 404);
});

test('DeviceOfAUser_IsReallyPolled_AndForgotten', async () => {
  const listener = createServer((socket) => socket.end());
  await new Promise((done) => listener.listen(0, '127.0.0.1', done));
  const body = { name: 'Test switch', address: 'localhost', port: listener.address().port };
  const made = await api('/api/devices', { token: staff(), body });
  assert.equal(made.status, 201);
  assert.equal((await api('/api/devices', { token: staff(), body })).status, 409);
  await isOnline('Test switch');
  await new Promise((done) => listener.close(done));
  await isOnline('Test switch', 'offline');
  const { alerts } = (await api('/api/alerts', { token: staff() })).body;
  assert.equal(alerts.find((alert) => alert.device === 'Test switch').status, 'open');
  assert.equal((await api(`/api/devices/${made.body.device.id}`, { method: 'DELETE', token: staff() })).status, 200);
  assert.equal(await device('Test switch'), undefined);
  const later = (await api('/api/alerts', { token: staff() })).body.alerts;
  assert.equal(later.find((alert) => alert.device === 'Test switch').status, 'resolved');
});

test('OtherOrigins_MayCallAndConnect', async () => {
  const origin = 'https://elsewhere.example';
  const preflight = await api('/api/devices', {
    method: 'OPTIONS', headers: { Origin: origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' },
  });
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers.get('access-control-allow-headers'), /authorization/i);
  for (const path of ['/api/devices', '/socket.io/?EIO=4&transport=polling', '/api/test/ws-status']) {
    const { headers } = await api(path, { headers: { Origin: origin } });
    assert.ok(['*', origin].includes(headers.get('access-control-allow-origin')), path);
  }
});

// --- tokens and rooms

test('Tokens_ThatAreBad_AreRefusedAtTheHandshake', async () => {
  const claims = { sub: 'operator', name: 'x', roles: ['noc-admin'], exp: Math.floor(Date.now() / 1000) + 600 };
  const reason = (token) => connect(token).then(() => null, (error) => error.data?.reason);
  assert.equal(await reason('nonsense'), 'token_invalid');
  assert.equal(await reason(forge(claims, 'another secret that is long enough')), 'token_invalid');
  assert.equal(await reason(forge({ ...claims, exp: 1 })), 'token_expired');
  assert.equal(await reason(forge(claims)), null);
  assert.equal(await reason(''), null);
});

test('Rooms_GoByRole_AndSayWhyNot', async () => {
  const all = ['devices', 'stats', 'alerts', 'logs', 'payments', 'bandwidth', 'customer.acme', 'customer.harbor', 'anything'];
  const joined = async (name) => {
    const client = await connect(name && tokens[name].token);
    const list = [];
    for (const room of all) {
      const answer = await client.emitWithAck('subscribe', room);
      if (answer.ok) list.push(room);
      else assert.deepEqual([answer.ok, answer.error], [false, name || room === 'anything' ? 'rule_refused' : 'rule_needs_user'], room);
    }
    const left = await client.emitWithAck('unsubscribe', 'devices');
    assert.deepEqual(left, { ok: true });
    const { user } = await client.emitWithAck('whoami');
    assert.equal(user?.id, name);
    assert.equal((await client.emitWithAck('publish', { channel: 'stats', event: 'client-x', data: 1 })).ok, false);
    client.disconnect();
    return list;
  };
  assert.deepEqual(await joined(undefined), ['devices', 'stats']);
  assert.deepEqual(await joined('acme'), ['devices', 'stats', 'customer.acme']);
  assert.deepEqual(await joined('operator'), all.slice(0, -1));
  assert.deepEqual(await joined('admin'), all.slice(0, -1));
});

test('WsStatus_CountsClients_AndKnowsWhoIsConnected', async () => {
  const before = await until(async () => {
    const found = await status();
    // Those of the tests before are through with their upgrades and goodbyes.
    return found.connectedClients === clients.filter(({ connected }) => connected).length && found.transports.polling === 0 && found;
  });
  const one = await connect(tokens.harbor.token, { transports: ['websocket'] });
  const two = await connect('', { transports: ['polling'] });
  const now = await status('?user=harbor');
  assert.equal(now.connectedClients, before.connectedClients + 2);
  assert.equal(now.anonymous, before.anonymous + 1);
  assert.equal(now.transports.polling, before.transports.polling + 1);
  assert.deepEqual(now.user, { id: 'harbor', connected: true, sockets: 1 });
  one.disconnect();
  two.disconnect();
  await until(async () => (await status('?user=harbor')).user.connected === false);
  assert.equal((await api('/api/test/ws-status?user=harbor')).status, 401);
});

test('BandwidthHistory_ComesAsBytes_Intact', async () => {
  await until(async () => ((await api('/api/bandwidth?interface=lo', { token: staff() })).body.samples ?? []).length > 4);
  const client = await connect(staff());
  const [head, bytes] = await new Promise((done) => client.emit('bandwidth:history', 'lo', (...values) => done(values)));
  assert.deepEqual({ ok: head.ok, interface: head.interface }, { ok: true, interface: 'lo' });
  assert.equal(bytes.byteLength, head.samples * 24);
  const { samples } = (await api('/api/bandwidth?interface=lo', { token: staff() })).body;
  const unpacked = Array.from({ length: head.samples }, (_, n) => ({
    at: bytes.readDoubleLE(n * 24), rx: bytes.readDoubleLE(n * 24 + 8), tx: bytes.readDoubleLE(n * 24 + 16),
  }));
  assert.deepEqual(unpacked, samples.slice(0, head.samples));
  assert.ok(unpacked.some(({ rx }) => rx > 0), 'the loopback interface carries these very tests');
  const viewer = await connect('');
  assert.equal((await viewer.emitWithAck('bandwidth:history', 'lo')).ok, false);
  assert.equal((await client.emitWithAck('bandwidth:history', 'nope')).ok, false);
  assert.equal((await client.emitWithAck('bandwidth:history')).ok, false);
});

test('Messages_AreCompressed', async () => {
  const client = await connect('', { transports: ['websocket'] });
  assert.equal(client.io.engine.transport.ws.extensions, 'permessage-deflate');
  client.disconnect();
});

test('FrequentEvents_AreThrottledByFlowRules', async () => {
  const client = await connect(staff());
  const stats = [];
  const bundles = [];
  client.on('stats:update', (figures) => stats.push(figures));
  client.on('network:log', (lines) => bundles.push(lines));
  for (const room of ['stats', 'logs']) assert.ok((await client.emitWithAck('subscribe', room)).ok);
  await until(() => stats.length >= 4 && bundles.some((lines) => lines.length > 1));
  // Measured four times a second, and sent once: of three in a row the first and last are more than a second apart.
  assert.ok(stats[3].at - stats[1].at >= 800, `${stats[3].at - stats[1].at} ms`);
  assert.ok(bundles.every(Array.isArray));
});

// --- the pages

test('StoppedDevice_IsSeenOfflineWithAnAlert_OnTwoBrowsersAndByPusher', async () => {
  const [one, two] = [await open(sessionOf('admin')), await open(sessionOf('operator'))];
  const pusher = new Pusher('noc-key', {
    cluster: '', wsHost: '127.0.0.1', wsPort: noc.port, forceTLS: false, enabledTransports: ['ws'],
    userAuthentication: {
      endpoint: noc.url('/pusher/user-auth'), transport: 'ajax', headers: { Authorization: `Bearer ${staff()}` },
    },
  });
  clients.push(pusher);
  const heard = [];
  const joined = new Promise((done) => {
    pusher.bind('pusher:signin_success', () => {
      const channel = pusher.subscribe('alerts');
      channel.bind('pusher:subscription_succeeded', done);
      channel.bind('alert:new', (alert) => heard.push(alert));
    });
  });
  pusher.signin();
  await joined;
  await isOnline('Acme gateway');
  for (const page of [one, two]) await seen(page, tile('Acme gateway', 'online'));

  await one.locator(tile('Acme gateway', 'online')).getByRole('button', { name: 'Stop' }).click();
  for (const page of [one, two]) {
    await seen(page, tile('Acme gateway', 'offline'));
    await seen(page, alertOf('Acme gateway does not answer', 'open'));
    await page.waitForFunction(() => window.toasts.some((text) => text.startsWith('Acme gateway does not answer')));
    await seen(page, '.log li.bad:has-text("Acme gateway went offline")');
  }
  await until(() => heard.some(({ device: name, kind }) => name === 'Acme gateway' && kind === 'offline'));
  for (const scheme of ['light', 'dark']) {
    await one.emulateMedia({ colorScheme: scheme });
    // The chart takes the colours of the scheme with its next sample.
    const samples = Number(await one.getAttribute('.chart', 'data-samples'));
    await one.waitForFunction((before) => Number(document.querySelector('.chart').dataset.samples) > Math.max(5, before), samples);
    await screenshot(one, `noc-staff-${scheme}`);
  }

  await two.locator(alertOf('Acme gateway does not answer', 'open')).getByRole('button', { name: 'Acknowledge' }).click();
  await seen(one, `${alertOf('Acme gateway does not answer', 'acknowledged')}:has-text("Oskar Operator")`);
  const { id } = (await api('/api/alerts', { token: staff() })).body.alerts.find((alert) => alert.device === 'Acme gateway');
  assert.equal((await api(`/api/alerts/${id}/acknowledge`, { method: 'POST', token: staff() })).status, 409);
  await act('Acme gateway', 'start');
  for (const page of [one, two]) {
    await seen(page, tile('Acme gateway', 'online'));
    await seen(page, alertOf('Acme gateway does not answer', 'resolved'));
  }
  await Promise.all([one, two].map((page) => page.context().close()));
});

test('SlowDevice_RaisesALatencyAlert_AndAViewerSeesNoneOfThat', async () => {
  const [page, viewer] = [await open(sessionOf('operator')), await open(sessionOf(null))];
  await isOnline('Harbor gateway');
  await act('Harbor gateway', 'slow');
  await seen(page, `${tile('Harbor gateway', 'online')} .badge:has-text("slow")`);
  await seen(page, `${alertOf('Harbor gateway takes', 'open')}[data-kind=latency]`);
  await seen(viewer, `${tile('Harbor gateway', 'online')} .badge:has-text("slow")`);
  await seen(viewer, '[data-figure=Connections]');
  for (const card of ['alerts', 'logs', 'payments', 'bandwidth', 'customer']) {
    assert.equal(await viewer.locator(`section[aria-labelledby=${card}]`).count(), 0, card);
  }
  assert.equal(await viewer.getByRole('button', { name: 'Stop' }).count(), 0);
  assert.equal(await toasts(viewer, 'Harbor'), 0);
  for (const scheme of ['light', 'dark']) {
    await viewer.emulateMedia({ colorScheme: scheme });
    await screenshot(viewer, `noc-viewer-${scheme}`);
  }
  await act('Harbor gateway', 'start');
  await seen(page, `${alertOf('Harbor gateway takes', 'resolved')}[data-kind=latency]`);
  await Promise.all([page, viewer].map((one) => one.context().close()));
});

test('Customer_SeesOwnRoomOnly_AndPaysAnInvoice', async () => {
  const [acme, harbor, page] = [await open(sessionOf('acme')), await open(sessionOf('harbor')), await open(sessionOf('operator'))];
  await seen(acme, '[data-customer=acme] [data-device="Acme telephony"]');
  await seen(harbor, '[data-customer=harbor] [data-device="Harbor cameras"]');
  assert.equal(await acme.locator('[data-customer=acme] [data-device="Harbor cameras"]').count(), 0);
  assert.equal(await acme.locator('section[aria-labelledby=alerts]').count(), 0);
  await page.locator('section[aria-labelledby=customer] select').selectOption('acme');
  await seen(page, '[data-customer=acme]');
  const { payments } = (await api('/api/customers/acme', { token: tokens.acme.token })).body;
  const { invoice_id: invoice } = payments.find((payment) => payment.status === 'open');
  assert.equal((await api('/api/customers/acme', { token: tokens.harbor.token })).status, 403);
  assert.equal((await api('/api/customers/acme/payments', { token: tokens.harbor.token, body: { invoice_id: invoice } })).status, 403);
  assert.equal((await api('/api/customers/acme/payments', { body: { invoice_id: invoice } })).status, 401);
  for (const scheme of ['light', 'dark']) {
    await acme.emulateMedia({ colorScheme: scheme });
    await screenshot(acme, `noc-customer-${scheme}`);
  }

  // The billing job may collect it first, but then says so itself.
  const paid = await api('/api/customers/acme/payments', { token: tokens.acme.token, body: { invoice_id: invoice, method: 'card' } });
  assert.ok([201, 409].includes(paid.status));
  await seen(acme, `[data-customer=acme] tr[data-invoice="${invoice}"][data-status=paid]`);
  await seen(page, `section[aria-labelledby=payments] tr[data-invoice="${invoice}"][data-status=paid]`);
  await seen(page, `[data-customer=acme] tr[data-invoice="${invoice}"][data-status=paid]`);
  assert.equal(await harbor.locator(`tr[data-invoice="${invoice}"]`).count(), 0);
  assert.equal((await api('/api/customers/acme/payments', { token: staff(), body: { invoice_id: invoice } })).status, 409);
  // What the job does comes by itself.
  const first = await page.locator('section[aria-labelledby=payments] tbody tr').first().getAttribute('data-invoice');
  await page.waitForFunction(
    (before) => document.querySelector('section[aria-labelledby=payments] tbody tr').dataset.invoice !== before, first, { timeout: kSoonMs });
  await act('Acme telephony', 'stop');
  await seen(acme, '[data-customer=acme] li[data-kind=offline][data-status=open]');
  await act('Acme telephony', 'start');
  await seen(acme, '[data-customer=acme] li[data-kind=offline][data-status=resolved]');
  await Promise.all([acme, harbor, page].map((one) => one.context().close()));
});

test('Pay_ClickedTwice_PaysOnce_AndSaysNothingElse', async () => {
  const page = await open(sessionOf('operator'));
  let asked = 0;
  let answer;
  const answered = new Promise((done) => {
    answer = done;
  });
  await page.route('**/api/customers/*/payments', async (route) => {
    asked++;
    await answered;
    await route.continue();
  });
  // The billing job issues an invoice now and then.
  const button = page.locator('section[aria-labelledby=customer] tr[data-status=open] button').first();
  await button.waitFor({ timeout: kSoonMs });
  const [invoice, disabled] = await button.evaluate(async (found) => {
    found.click();
    found.click();
    await new Promise(requestAnimationFrame);
    return [found.closest('tr').dataset.invoice, found.disabled];
  });
  assert.ok(disabled);
  answer();
  await seen(page, `section[aria-labelledby=customer] tr[data-invoice="${invoice}"][data-status=paid]`);
  assert.equal(asked, 1);
  await page.context().close();
});

test('Payments_HaveRoomForTheirTimes', async () => {
  for (const viewport of [kPages, { width: 390, height: 844 }]) {
    const context = await browser.newContext({ viewport, locale: 'en-US' });
    const page = await open(sessionOf('operator'), { context });
    await seen(page, 'section[aria-labelledby=payments] tr[data-status=paid]');
    const [content, room] = await page.$eval('section[aria-labelledby=payments] .scroll', (box) => [box.scrollWidth, box.clientWidth]);
    assert.ok(content <= room, `${content} px of table on ${room} px`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
    await context.close();
  }
});

test('Login_OnThePage_AndATokenThatHasRunOut', async () => {
  const page = await open(null, { ready: false });
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await screenshot(page, `noc-login-${scheme}`);
  }
  await page.getByRole('button', { name: 'Log in' }).click();
  await seen(page, '[role=alert]:text-is("enter a name")');
  await page.getByLabel('Name').fill('operator');
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Log in' }).click();
  await seen(page, '[role=alert]:has-text("wrong name or password")');
  await page.getByRole('button', { name: 'operator / operator-demo' }).click();
  await page.getByRole('button', { name: 'Log in' }).click();
  await connected(page);
  await seen(page, '#user:has-text("Oskar Operator")');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('button', { name: 'Continue as viewer' }).click();
  await connected(page);
  await seen(page, '#user:has-text("viewer")');
  await page.context().close();

  const token = forge({ sub: 'operator', name: 'Oskar', roles: ['operator'], exp: 1 });
  const late = await open({ token, user: tokens.operator.user }, { ready: false });
  await seen(late, '[role=alert]:has-text("Token expired. Please log in again.")');
  await late.context().close();
});

test('WebSocketBlocked_ThePagePolls_AndLosesNothing', async () => {
  const proxy = await proxied();
  proxy.refusesUpgrades = true;
  const page = await open(sessionOf('operator'), { url: proxy.url() });
  await seen(page, '#connection:has-text("long-polling")');
  await isOnline('Lumen uplink');
  await act('Lumen uplink', 'stop');
  await seen(page, tile('Lumen uplink', 'offline'));
  await seen(page, alertOf('Lumen uplink does not answer', 'open'));
  await act('Lumen uplink', 'start');
  await seen(page, tile('Lumen uplink', 'online'));
  assert.ok(proxy.refused > 0, 'the page has tried a WebSocket');
  await page.context().close();
});

test('ThreeTabs_ShareOneConnection_AndTheNextTakesOver', async () => {
  await until(async () => (await status('?user=admin')).user.sockets === 0, 'no other admin');
  const context = await browser.newContext({ viewport: kPages });
  const tabs = [];
  for (let n = 0; n < 3; n++) tabs.push(await open(sessionOf('admin'), { context }));
  assert.deepEqual((await status('?user=admin')).user, { id: 'admin', connected: true, sockets: 1 });
  assert.match(await tabs[0].textContent('#connection'), /^connected · \w+$|^connected · long-polling$/);
  for (const tab of tabs.slice(1)) await seen(tab, '#connection:has-text("of another tab")');
  await tabs[0].locator('#connection', { hasText: 'WebSocket' }).waitFor({ timeout: kSoonMs });
  await tabs[0].close();
  await tabs[1].locator('#connection', { hasText: /^connected · WebSocket$/ }).waitFor({ timeout: kSoonMs });
  await isOnline('Edge firewall');
  await act('Edge firewall', 'stop');
  for (const tab of tabs.slice(1)) await seen(tab, alertOf('Edge firewall does not answer', 'open'));
  await act('Edge firewall', 'start');
  for (const tab of tabs.slice(1)) {
    await seen(tab, tile('Edge firewall', 'online'));
    assert.equal(await toasts(tab, 'Edge firewall does not answer'), 1);
  }
  assert.equal((await status('?user=admin')).user.sockets, 1);
  await context.close();
});

// --- faults

test('NetworkCut_WhatWasMissedComesOnce', async () => {
  const proxy = await proxied();
  const context = await browser.newContext({ viewport: kPages });
  const tabs = [];
  for (let n = 0; n < 2; n++) tabs.push(await open(sessionOf('operator'), { context, url: proxy.url() }));
  await isOnline('Billing portal');
  for (const tab of tabs) await seen(tab, '.log li');
  proxy.cut();
  for (const tab of tabs) await seen(tab, '#connection:has-text("connecting")');
  await act('Billing portal', 'stop');
  await isOnline('Billing portal', 'offline');
  await act('Billing portal', 'start');
  await isOnline('Billing portal');
  proxy.restore();
  for (const tab of tabs) {
    await tab.waitForFunction(() => window.toasts.some((text) => text.startsWith('Billing portal')), null, { timeout: kSoonMs });
    await seen(tab, alertOf('Billing portal does not answer', 'resolved'));
    await seen(tab, tile('Billing portal', 'online'));
    assert.equal(await toasts(tab, 'Billing portal does not answer'), 1);
  }
  await context.close();
});

test('ServerKilledAndStartedAgain_PagesRecover_AndMissedAlertsComeOnce', async () => {
  const proxy = await proxied();
  const context = await browser.newContext({ viewport: kPages });
  // The tab that leads is closed before, so the one that is left has to know where it is.
  const first = await open(sessionOf('admin'), { context, url: proxy.url() });
  const page = await open(sessionOf('admin'), { context, url: proxy.url() });
  const viewer = await open(sessionOf(null));
  await isOnline('Core router');
  await first.close();
  await connected(page);
  await seen(page, '.log li');
  const before = (await api('/api/alerts', { token: staff() })).body.alerts;
  proxy.cut();
  assert.equal(await viewer.locator('#notice').count(), 0);
  await noc.kill();
  await seen(viewer, '#connection:has-text("connecting")');
  const lost = /^\s*Not connected since \d\d:\d\d:\d\d; what is shown is from then\s*$/;
  await viewer.locator('#notice', { hasText: lost }).waitFor({ timeout: kSoonMs });
  await seen(viewer, 'main.stale');
  for (const scheme of ['light', 'dark']) {
    await viewer.emulateMedia({ colorScheme: scheme });
    await screenshot(viewer, `noc-lost-${scheme}`);
  }
  await seen(page, 'main.stale');
  await page.getByRole('button', { name: 'Stop' }).first().click();
  await page.waitForFunction(() => window.toasts.includes('the server cannot be reached'), null, { timeout: kSoonMs });
  await noc.start();
  await isOnline('Core router');
  await act('Core router', 'stop');
  await isOnline('Core router', 'offline');
  proxy.restore();
  await connected(page);
  await seen(page, alertOf('Core router does not answer', 'open'));
  await page.waitForFunction(() => window.toasts.some((text) => text.startsWith('Core router')), null, { timeout: kSoonMs });
  await act('Core router', 'start');
  await seen(page, alertOf('Core router does not answer', 'resolved'));
  assert.equal(await toasts(page, 'Core router does not answer'), 1);
  await connected(viewer);
  await viewer.locator('main.stale').waitFor({ state: 'detached', timeout: kSoonMs });
  assert.equal(await viewer.locator('#notice').count(), 0);
  await seen(viewer, tile('Core router', 'online'));
  const later = (await api('/api/alerts', { token: staff() })).body.alerts;
  const known = new Set(later.map(({ id }) => id));
  assert.ok(before.every(({ id }) => known.has(id)), 'alerts are stored');
  await Promise.all([context.close(), viewer.context().close()]);
});

test('ServerFrozen_PagesGoOnAfterwards', async () => {
  const page = await open(sessionOf('operator'));
  await isOnline('Harbor cameras');
  await seen(page, '[data-at]');
  noc.freeze();
  const at = await page.getAttribute('[data-at]', 'data-at');
  await page.waitForTimeout(1500);
  noc.thaw();
  await page.waitForFunction((before) => Number(document.querySelector('[data-at]').dataset.at) > Number(before) + 1000, at, { timeout: kSoonMs });
  await act('Harbor cameras', 'stop');
  await seen(page, tile('Harbor cameras', 'offline'));
  await act('Harbor cameras', 'start');
  await seen(page, tile('Harbor cameras', 'online'));
  await page.context().close();
});

test('WsTestPage_ConnectsJoinsAndShowsRawEvents', async () => {
  const page = await browser.newPage();
  errors.push(complaints(page));
  await page.goto(noc.url('/ws-test'));
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.locator('#state', { hasText: 'connected · ' }).waitFor({ timeout: kSoonMs });
  await page.getByRole('button', { name: 'Subscribe', exact: true }).click();
  await seen(page, '#events:has-text("device:latency")');
  await page.locator('#room').fill('alerts');
  await page.getByRole('button', { name: 'Subscribe', exact: true }).click();
  await seen(page, '#events:has-text("Sign in first")');
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await screenshot(page, `noc-ws-test-${scheme}`);
  }
  await page.locator('#token').fill('nonsense');
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await seen(page, '#state:has-text("Invalid token")');
  await page.close();
});

// --- figures, printed and not judged

test('Figures_OfConnectionEventAndPage', async () => {
  const page = await open(sessionOf('operator'));
  const line = (name, values) => {
    const sorted = [...values].sort((a, b) => a - b);
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1);
    console.log(`# noc: ${name}: median ${at(0.5)} ms, p99 ${at(0.99)} ms of ${sorted.length}`);
  };
  const connecting = [];
  for (let n = 0; n < 30; n++) {
    const begun = performance.now();
    const client = await connect(staff(), { transports: ['websocket'] });
    connecting.push(performance.now() - begun);
    client.disconnect();
  }
  const client = await connect(staff(), { transports: ['websocket'] });
  let heard = () => {};
  client.on('device:status', (entry) => heard(entry));
  await client.emitWithAck('subscribe', 'devices');
  const { id } = await device('Core router');
  const events = [];
  const drawing = [];
  for (let n = 0; n < 30; n++) {
    const action = n % 2 === 0 ? 'slow' : 'start';
    const selector = `${tile('Core router', 'online')} button:disabled:has-text("${n % 2 === 0 ? 'Slow' : 'Start'}")`;
    const begun = performance.now();
    const event = new Promise((done) => {
      heard = (entry) => entry.id === id && entry.demo === (n % 2 === 0 ? 'slow' : 'running') && done(performance.now());
    });
    const drawn = page.locator(selector).waitFor({ timeout: kSoonMs }).then(() => performance.now());
    const sent = api(`/api/demo/devices/${id}/${action}`, { method: 'POST', token: staff() });
    events.push((await event) - begun);
    drawing.push((await drawn) - begun);
    await sent;
  }
  line('connection', connecting);
  line('request to event', events);
  line('request to page', drawing);
  await page.context().close();
});

test('ConnectionsThatComeTooFast_AreRefused_AndWelcomeLater', async () => {
  const knock = async () => (await api('/socket.io/?EIO=4&transport=polling')).status;
  await until(async () => (await Promise.all(Array.from({ length: 200 }, knock))).some((code) => code !== 200), 'a refusal');
  await until(async () => (await knock()) === 200);
});

test('Pages_HaveNotComplained', () => {
  assert.deepEqual(errors.flat(), []);
});
