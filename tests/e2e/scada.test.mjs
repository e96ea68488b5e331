// The plant (examples/scada): its routes, its four channels, and its page in a real browser, while readings come in by
// every way there is and the program is killed, frozen and restarted.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser } from './browser.mjs';
import { Example, complaints, screenshot } from './example.mjs';
import { repository } from './kilat.mjs';
import { colors, cpuSeconds, eventually, facts, follow, kSoonMs, logIn, sleep, waitMorePoints, waitState, waitText } from './scada_page.mjs';

const require = createRequire(join(repository, 'tests/package.json'));
const Backend = require('pusher');
const PusherClient = require('pusher-js');

/** Bound for what waits for an attempt to reconnect. */
const kBackMs = 60_000;
const kApp = { PUSHER_APP_ID: 'plant-7', PUSHER_APP_KEY: 'plant-7-key', PUSHER_APP_SECRET: 'plant-secret' };
const kChannels = ['scada-data', 'scada-batch', 'scada-aggregated', 'scada-realtime'];
/** Readings that were sent again with the same key. */
const kAcknowledgedTwice = 1;
const kFiguresOfOne = ['average', 'count', 'max', 'min', 'sum'];

let scada;
let browser;
let backend;
/** Two people who look at the plant: by day and by night. */
let pages;
const tokens = {};
const clients = [];

/** Asks a route; {status, body}. */
async function call(path, { token, method, body, raw, headers = {}, of = scada } = {}) {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const answer = await fetch(of.url(path), {
    method: method ?? (sent === undefined ? 'GET' : 'POST'),
    headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), 'Content-Type': 'application/json', ...headers },
    body: sent,
  });
  return { status: answer.status, body: await answer.json() };
}

async function tokenOf(login, of = scada) {
  const { status, body } = await call('/api/login', { of, body: { login, password: login } });
  assert.equal(status, 200, JSON.stringify(body));
  return body.token;
}

const receive = (readings) => call('/api/scada/receive', { body: readings });
const setRate = (rate) => call('/api/firehose', { token: tokens.operator, body: { rate } });

/** Tells the stock backend library where the server is. */
function backendOf(of) {
  return new Backend({
    appId: kApp.PUSHER_APP_ID, key: kApp.PUSHER_APP_KEY, secret: kApp.PUSHER_APP_SECRET,
    host: '127.0.0.1', port: String(of.port), useTLS: false,
  });
}

/** What GET /apps/ID`path` answers. */
async function ask(path, params, of = backend) {
  const answer = await of.get({ path, params });
  assert.equal(answer.status, 200);
  return answer.json();
}

/** How many readings of a sensor are stored. */
async function stored(sensor, of = backend) {
  const { steps } = await ask('/readings', { sensor, step: '24h' }, of);
  return steps.reduce((sum, { count }) => sum + count, 0);
}

const idle = (of = backend) => eventually(async () => (await ask('/ingest', {}, of)).jobs === 0, 'an empty queue');

/** A stock pusher-js of Node that is connected. */
async function client(of = scada) {
  const made = new PusherClient(kApp.PUSHER_APP_KEY, {
    cluster: '', wsHost: '127.0.0.1', wsPort: of.port, forceTLS: false, enabledTransports: ['ws'], disableStats: true,
  });
  clients.push(made);
  await new Promise((done, fail) => {
    made.connection.bind('connected', done);
    made.connection.bind('failed', fail);
  });
  return made;
}

async function open(options = {}, of = scada) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.complaints = complaints(page);
  page.requested = [];
  page.violations = [];
  page.on('request', (request) => page.requested.push(request.url()));
  page.on('websocket', (socket) => page.requested.push(socket.url()));
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) page.violations.push(message.text());
  });
  await page.goto(of.url());
  return page;
}

before(async () => {
  scada = await new Example('example_scada', { env: kApp }).start();
  backend = backendOf(scada);
  browser = await launchBrowser();
  pages = await Promise.all([open(), open({ colorScheme: 'dark' })]);
  for (const login of ['operator', 'viewer']) tokens[login] = await tokenOf(login);
});

after(async () => {
  for (const made of clients) made.disconnect();
  await browser?.close();
  await scada?.remove();
});

test('Page_OnceOpen_IsConnectedAndHealthyAndItsPictureMoves', async () => {
  await Promise.all(pages.map(async (page) => {
    await waitState(page, 'connected');
    assert.equal(await page.textContent('#health'), 'healthy');
    await waitMorePoints(page, 200);
    assert.match(await page.textContent('#last'), /^\d\d:\d\d:\d\d$/);
    const picture = await page.evaluate(() => document.querySelector('#chart canvas').toDataURL());
    await page.waitForFunction((old) => document.querySelector('#chart canvas').toDataURL() !== old, picture, { timeout: kSoonMs });
    assert.ok((await colors(page, '#chart canvas')) > 8, 'the chart is blank');
    await page.waitForFunction(() => document.querySelectorAll('#figures tr').length > 40, null, { timeout: kSoonMs });
    assert.ok((await page.locator('#batches tr').count()) > 0);
    await waitText(page, '#aggregated-rate', /^[1-9]/);
    await waitText(page, '#reached', /^[1-9]/);
  }));
});

test('Status_TellsOfTheWholePlantAndThisMachine', async () => {
  const { body } = await call('/api/status');
  assert.equal(body.sensors, 205);
  assert.equal(body.rate.asked, 200);
  assert.ok(body.accepted > 0 && body.connections >= 2);
  assert.deepEqual(Object.keys(body.queue).sort(), ['bytes', 'failed_bytes', 'failed_jobs', 'jobs', 'oldest', 'readings']);
  const { sensors } = (await call('/api/sensors')).body;
  assert.equal(sensors.filter(({ kind }) => kind !== 'host').length, 200);
  assert.equal(new Set(sensors.map(({ kind }) => kind)).size, 7);
  await eventually(async () => (await ask('/sensors', {})).sensors.some(({ sensor }) => sensor === 'host-cpu'), 'telemetry');
});

test('BadRequests_AreRefusedWithAClearError', async () => {
  const { operator, viewer } = tokens;
  for (const [status, path, options, words] of [
    [422, '/api/scada/receive', { raw: 'not JSON' }, /must be JSON/],
    [422, '/api/scada/receive', { body: [] }, /1 to 10000 readings/],
    [422, '/api/scada/receive', { body: 5 }, /must be an object/],
    [422, '/api/scada/receive', { body: { value: 1 } }, /channel must be a text/],
    [422, '/api/scada/receive', { body: { channel: 'x'.repeat(201), value: 1 } }, /channel must be a text/],
    [422, '/api/scada/receive', { body: [{ channel: 'ok', value: 1 }, { channel: 'bad', value: '2' }] }, /reading 2: value must be a number/],
    [422, '/api/scada/receive', { body: { channel: 'ok', value: 1, timestamp: 'yesterday' } }, /timestamp must be a time/],
    [400, '/api/scada/receive', { body: { channel: 'ok', value: 1 }, headers: { 'Idempotency-Key': 'k'.repeat(129) } }, /128/],
    [400, '/api/readings', {}, /sensor/],
    [400, '/api/readings?sensor=temp-001&range=9y', {}, /range must be/],
    [401, '/api/login', { body: { login: 'operator', password: 'wrong' } }, /wrong login/],
    [422, '/api/login', { body: { login: 'operator' } }, /missing/],
    [401, '/api/firehose', { body: { rate: 10 } }, /log in/],
    [401, '/api/firehose', { body: { rate: 10 }, token: 'x.y.z' }, /log in/],
    [403, '/api/firehose', { body: { rate: 10 }, token: viewer }, /operator/],
    [422, '/api/firehose', { body: { rate: 20_001 }, token: operator }, /0 to 20000/],
    [422, '/api/firehose', { body: { rate: 1.5 }, token: operator }, /whole number/],
    [403, '/api/faults', { body: {}, token: viewer }, /operator/],
    [422, '/api/faults', { body: { sensor: 'temp-001', fault: 'gremlin' }, token: operator }, /fault must be/],
    [404, '/api/faults', { body: { sensor: 'temp-999', fault: 'stuck' }, token: operator }, /no such sensor/],
    [403, '/api/loadtest', { body: {}, token: viewer }, /operator/],
    [422, '/api/loadtest', { body: { messages: 0 }, token: operator }, /1 to 10000/],
    [401, '/api/jobs/failed/0-1/retry', { body: {} }, /log in/],
    [403, '/api/jobs/failed/0-1', { method: 'DELETE', token: viewer }, /operator/],
    [404, '/api/jobs/failed/00000000-1/retry', { body: {}, token: operator }, /./],
    [422, '/api/jobs/failed/x%2Fy', { method: 'DELETE', token: operator }, /name of a job/],
  ]) {
    const answer = await call(path, options);
    assert.equal(answer.status, status, `${path} ${JSON.stringify(options).slice(0, 100)}: ${JSON.stringify(answer.body)}`);
    assert.match(answer.body.error, words);
  }
  assert.equal(await stored('ok'), 0, 'a request with one bad reading is refused as a whole');
});

test('Reading_FromAGateway_ReachesAllFourChannelsOfStockClients', async () => {
  const made = await client();
  const heard = {};
  for (const name of kChannels) heard[name] = await follow(made, name);
  const times = [0, 1, 2].map((i) => Date.now() + i);
  const readings = times.map((timestamp, i) => ({ channel: 'boiler-7', value: 20.5 + i, timestamp, unit: '°C' }));
  const answer = await receive(readings);
  assert.equal(answer.status, 202);
  assert.equal(answer.body.accepted, 3);
  const mine = (name) => heard[name].filter(([, data]) => data.channel === 'boiler-7');
  await eventually(() => mine('scada-data').length === 3, 'every reading');
  assert.deepEqual(mine('scada-data').map(([event]) => event), Array(3).fill('scada.data.received'));
  assert.deepEqual(mine('scada-data').map(([, { data }]) => data), readings);
  for (const [i, [, { timestamp }]] of mine('scada-data').entries()) assert.equal(timestamp, new Date(times[i]).toISOString());
  await eventually(() => mine('scada-realtime').at(-1)?.[1].data.value === 22.5, 'the newest reading');
  for (const [name, event] of [['scada-batch', 'scada.batch.processed'], ['scada-aggregated', 'scada.aggregated.updated']]) {
    const figures = () => heard[name].filter(([, { data }]) => data['boiler-7']);
    const count = () => figures().reduce((sum, [, { data }]) => sum + data['boiler-7'].count, 0);
    await eventually(() => count() === 3, `figures on ${name}`);
    assert.ok(heard[name].every(([given, { channel, timestamp, batchId }]) =>
      given === event && channel === name && new Date(timestamp).toISOString() === timestamp && /^[0-9a-f]{16}-\d+$/.test(batchId)));
    assert.equal(figures().reduce((sum, [, { data }]) => sum + data['boiler-7'].sum, 0), 64.5);
    const one = figures()[0][1].data['boiler-7'];
    assert.deepEqual(Object.keys(one).sort(), kFiguresOfOne);
    assert.ok(one.min === 20.5 && one.average === one.sum / one.count);
  }
  assert.equal(await stored('boiler-7'), 3);
  made.disconnect();
});

test('SameIdempotencyKey_IsTakenOnce', async () => {
  const send = () => call('/api/scada/receive', { body: { channel: 'once', value: 1 }, headers: { 'Idempotency-Key': 'gateway-1' } });
  const [first, second] = [await send(), await send()];
  assert.deepEqual([first.status, second.status], [202, 202]);
  assert.equal(second.body.job, first.body.job);
  await idle();
  assert.equal(await stored('once'), 1);
});

test('Event_OfTheStockBackendLibrary_IsDrawnAsWell', async () => {
  const event = { data: { channel: 'laravel-1', value: 42.25 }, timestamp: new Date().toISOString(), channel: 'laravel-1' };
  assert.equal((await backend.trigger('scada-data', 'scada.data.received', event)).status, 200);
  for (const page of pages) {
    await page.waitForSelector('#sensor option:text-is("laravel-1")', { state: 'attached', timeout: kSoonMs });
  }
});

test('Sensor_OfAGateway_CanBeChosen_AndItsValueIsOnEveryScreen', async () => {
  await receive({ channel: 'boiler-8', value: 1 });
  for (const page of pages) {
    await page.waitForSelector('#sensor option:text-is("boiler-8")', { state: 'attached', timeout: kSoonMs });
    await page.selectOption('#sensor', 'boiler-8');
    await waitText(page, '#chart-note', /stored readings/);
  }
  await receive({ channel: 'boiler-8', value: 76.54 });
  for (const page of pages) {
    await waitText(page, '#value', /^76\.54/);
    await page.waitForFunction(() => window.__scada.facts().chart.values.at(-1) > 1, null, { timeout: kSoonMs });
    await page.selectOption('#sensor', 'temp-001');
  }
});

test('OperatorsChannel_IsRefusedToAllOthers', async () => {
  const auth = (token) => call('/broadcasting/auth', { token, body: { socket_id: '1.1', channel_name: 'private-operators' } });
  assert.equal((await auth()).status, 401);
  assert.equal((await auth(tokens.viewer)).status, 403);
  assert.equal((await auth(tokens.operator)).status, 200);
  const [page] = pages;
  const outcome = () => page.evaluate(() => new Promise((done) => {
    const { pusher } = window.__scada;
    pusher.unsubscribe('private-operators');
    const channel = pusher.subscribe('private-operators');
    channel.bind('pusher:subscription_succeeded', () => done(200));
    channel.bind('pusher:subscription_error', ({ status }) => done(status));
  }));
  assert.equal(await outcome(), 401);
  await logIn(page, 'viewer');
  assert.ok(await page.isDisabled('#rate') && await page.isDisabled('#load-button') && await page.isHidden('#fault'));
  assert.equal(await outcome(), 403);
  await page.click('#logout');
  await page.fill('#login-password', 'wrong');
  await page.click('#login button');
  await waitText(page, '#login-error', /wrong login or password/);
  await logIn(page, 'operator');
  assert.equal(await outcome(), 200);
  assert.ok(await page.isEnabled('#rate'));
});

test('FirehoseTurned_IsToldToOtherOperators', async () => {
  const [, page] = pages;
  await logIn(page, 'operator');
  await page.waitForFunction(() => window.__scada.pusher.channel('private-operators')?.subscribed, null, { timeout: kSoonMs });
  await setRate(100);
  await waitText(page, '.toasts', /Olga Operator turned the firehose to 100/);
  await setRate(200);
});

test('Fault_BecomesAnAlarmOnEveryScreen_AndIsKept', async () => {
  const [operator, viewer] = pages;
  await operator.selectOption('#fault-kind', 'spike');
  await operator.selectOption('#sensor', 'power-020');
  await operator.click('#fault button');
  for (const page of [operator, viewer]) {
    await waitText(page, '.toasts', /power-020 jumped to/);
    await waitText(page, '#alarms', /power-020 jumped to/);
  }
  assert.ok((await call('/api/status')).body.faults.some(({ sensor, fault }) => sensor === 'power-020' && fault === 'spike'));
  await call('/api/faults', { token: tokens.operator, body: { sensor: 'power-020', fault: 'spike', seconds: 1 } });
  await eventually(async () => {
    const { alarms } = (await call('/api/alarms')).body;
    return alarms.some(({ sensor, kind, cleared }) => sensor === 'power-020' && kind === 'spike' && cleared !== null);
  }, 'the alarm to be over');
  await operator.selectOption('#sensor', 'temp-001');
});

test('SensorsThatAreSilentStuckOrDrifting_AreNoticed', async () => {
  await setRate(2000);
  await sleep(1500); // it has been heard a few times
  await call('/api/faults', { token: tokens.operator, body: { sensor: 'flow-030', fault: 'dropout', seconds: 60 } });
  await call('/api/faults', { token: tokens.operator, body: { sensor: 'level-030', fault: 'stuck', seconds: 20 } });
  // The plant's own readings of it must not come in between. Little by little, so it is no jump.
  await call('/api/faults', { token: tokens.operator, body: { sensor: 'pressure-040', fault: 'dropout', seconds: 20 } });
  await sleep(1000);
  await receive(Array.from({ length: 60 }, (_, i) => ({ channel: 'pressure-040', value: 7.6 + i * 0.15 })));
  await waitText(pages[1], '#alarms', /pressure-040 drifted to 16\.\d+ bar, outside of 0 to 16/);
  await waitText(pages[1], '#alarms', /level-030 is stuck at/);
  await waitText(pages[1], '#alarms', /flow-030 has gone silent/);
  await call('/api/faults', { token: tokens.operator, body: { sensor: 'flow-030', fault: 'dropout', seconds: 1 } });
  await eventually(async () => (await call('/api/alarms')).body.alarms
    .some(({ sensor, cleared }) => sensor === 'flow-030' && cleared !== null), 'it to be heard again');
  await setRate(200);
});

test('BareHeartbeat_DoesNotCloseTheSocket', async () => {
  const [page] = pages;
  const id = await page.evaluate(() => {
    const { connection } = window.__scada.pusher;
    for (let i = 0; i < 3; i++) connection.send(JSON.stringify({ type: 'heartbeat', timestamp: Date.now() }));
    return connection.socket_id;
  });
  await waitMorePoints(page, 200);
  assert.equal(await page.evaluate(() => window.__scada.pusher.connection.socket_id), id);
  assert.equal((await facts(page)).state, 'connected');
});

test('LoadTest_SendsAThousandMessages_AndPrintsTheRate', async () => {
  const [page] = pages;
  await page.click('#load-button');
  await waitText(page, '#load-result', /^1,000 messages sent in .* 1,000 received here/, kBackMs);
  assert.ok(scada.log.some((line) => /^load test: 1000 messages in .* messages\/s$/.test(line)));
  console.log(await page.textContent('#load-result'));
});

test('Ranges_FoldTheStoredReadings_WithoutAGapToTheLiveOnes', async () => {
  const [page] = pages;
  for (const [range, step] of [['15m', 1000], ['1h', 4000], ['24h', 90_000], ['live', 100]]) {
    await page.click(`[data-range="${range}"]`);
    await waitText(page, '#chart-note', new RegExp(`averages of ${step / 1000} s`));
    const { chart } = await facts(page);
    assert.ok(chart.times.length > 0 && chart.times.every((time, i) => time % step === 0 && (i === 0 || time > chart.times[i - 1])));
    await page.waitForFunction((last) => window.__scada.facts().chart.updates > last, chart.updates, { timeout: kSoonMs });
  }
  // Of each sensor 1 in 205 readings: a little more than one a second, so a hole of 20 s would be a loss.
  const { times } = (await facts(page)).chart;
  for (let i = 1; i < times.length; i++) assert.ok(times[i] - times[i - 1] < 20_000, `a gap of ${times[i] - times[i - 1]} ms`);
});

test('Firehose_At20000_LosesNothing_AndThePageGoesOnDrawing', async () => {
  const [page] = pages;
  const slide = (step) => page.evaluate((value) => {
    const slider = document.getElementById('rate');
    slider.value = String(value);
    slider.dispatchEvent(new Event('input'));
    slider.dispatchEvent(new Event('change'));
  }, step);
  for (const [step, rate] of [[4, 1000], [7, 20_000]]) {
    await slide(step);
    await eventually(async () => (await call('/api/status')).body.rate.asked === rate, 'the rate');
    await sleep(1500);
    const [cpu, at] = [cpuSeconds(scada.process.pid), Date.now()];
    const taken = (await call('/api/status')).body.accepted;
    const before = await facts(page);
    await sleep(3000);
    const now = await facts(page);
    const seconds = (Date.now() - at) / 1000;
    const reached = Math.round(((await call('/api/status')).body.accepted - taken) / seconds);
    const share = (100 * (cpuSeconds(scada.process.pid) - cpu)) / seconds;
    console.log(`${rate} readings/s asked, ${reached} reached: ${Math.round(now.messagesPerSecond)} messages/s to the page,`
      + ` ${Math.round(now.fps)} frames/s, drawing ${now.chart.renderAverageMs.toFixed(2)} ms, server ${Math.round(share)} % of one core`);
    assert.ok(now.chart.renders > before.chart.renders, 'the chart stands still');
    assert.ok(now.multiples.renders > before.multiples.renders, 'the small multiples stand still');
    assert.ok(now.chart.points <= now.capacity && now.capacity === 1000);
    assert.ok(now.multiples.points <= 400 * 120);
  }
  await screenshot(page, 'scada-firehose');
  await setRate(0);
  await eventually(async () => (await call('/api/status')).body.rate.reached === 0, 'the plant to stand still');
  await idle();
  const { accepted } = (await call('/api/status')).body;
  const { sensors } = await ask('/sensors', {});
  let count = 0;
  for (const { sensor } of sensors) count += await stored(sensor);
  assert.equal(count, accepted - kAcknowledgedTwice, 'readings that were acknowledged');
  console.log(`${accepted} readings acknowledged, ${count} stored`);
  await setRate(200);
});

test('RawReadings_OnRequest_ComeToThisPageOnly', async () => {
  const [page, other] = pages;
  await page.check('#raw');
  await eventually(async () => {
    const { channels } = await ask('/channels', { info: 'subscription_count' });
    return channels['scada-data'] !== undefined;
  }, 'the channel to be occupied');
  await waitMorePoints(page, 400);
  assert.equal(await other.isChecked('#raw'), false);
  await page.uncheck('#raw');
  await eventually(async () => (await ask('/channels', {})).channels['scada-data'] === undefined, 'it to be left');
});

test('Page_LoadsEverythingFromItsOwnServer', () => {
  for (const page of pages) {
    for (const url of page.requested) assert.equal(new URL(url).host, `127.0.0.1:${scada.port}`, url);
    assert.ok(page.requested.some((url) => url.includes('/app/plant-7-key')));
    assert.deepEqual(page.violations, []);
    assert.deepEqual(page.complaints, []);
  }
});

test('Page_IsWorthAPicture_AndFitsAPhone', async () => {
  await screenshot(pages[0], 'scada-light');
  await screenshot(pages[1], 'scada-dark');
  const phone = await open({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true });
  await waitState(phone, 'connected');
  await waitMorePoints(phone, 50);
  const [content, screen] = await phone.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(content <= screen, `${content} px of content on ${screen} px`);
  await screenshot(phone, 'scada-phone');
  await phone.context().close();
});

test('WrongKey_IsShownAsFailed_WithAWayToTryAgain', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.route('**/api/sensors', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ json: { ...(await answer.json()), app_key: 'no-such-key' } });
  });
  await page.goto(scada.url());
  await waitState(page, 'failed');
  assert.equal(await page.textContent('#state'), 'failed');
  assert.ok(await page.isVisible('#retry'));
  await waitText(page, '#notice', /Gave up/);
  await context.close();
});

test('Frozen_ThenThawed_GoesOn_AndTellsOfTheOperationThatTookLong', async () => {
  const sent = async () => (await call('/api/performance')).body.hours
    .reduce((sum, { operation, count }) => sum + (operation === 'load test: message' ? count : 0), 0);
  const before = await sent();
  const result = call('/api/loadtest', { token: tokens.operator, body: { messages: 10_000 } });
  await eventually(async () => (await sent()) > before, 'the first message');
  scada.freeze();
  await sleep(1600);
  scada.thaw();
  assert.equal((await result).body.failed, 0);
  for (const page of pages) {
    await waitMorePoints(page, 100);
    assert.equal((await facts(page)).state, 'connected');
  }
  await eventually(() => scada.log.some((line) => /^warning: load test: message took \d{4,} ms$/.test(line)), 'the warning');
  const { hours } = (await call('/api/performance')).body;
  const slow = hours.filter(({ operation }) => operation === 'load test: message');
  assert.ok(slow.some((hour) => hour.slow >= 1 && hour.max_ms > 1000 && hour.count >= 1));
  for (const name of ['plant: ingest', 'receiver: ingest', 'readings: query', 'login: check']) {
    assert.ok(hours.some(({ operation, count, average_ms: average }) => operation === name && count > 0 && average > 0), name);
  }
  await waitText(pages[0], '#performance', /load test: message/);
});

test('Killed_InTheMiddleOfIngest_LosesNothingAcknowledged_AndPagesComeBack', async () => {
  for (const page of pages) await page.click('[data-range="15m"]');
  const acknowledged = [];
  let sent = 0;
  let down = false;
  const gateway = async () => {
    while (!down) {
      const numbers = Array.from({ length: 20 }, () => sent++);
      try {
        const { status } = await receive(numbers.map((value) => ({ channel: 'counter', value })));
        if (status === 202) acknowledged.push(...numbers);
      } catch {
        return; // the connection broke: not acknowledged
      }
    }
  };
  const gateways = [gateway(), gateway(), gateway()];
  await eventually(() => acknowledged.length >= 400, 'readings');
  const before = await facts(pages[0]);
  await scada.kill();
  down = true;
  await Promise.all(gateways);
  const pauses = [];
  for (const page of pages) {
    await waitState(page, 'error');
    assert.ok(await page.isVisible('#notice'));
    assert.match(await page.textContent('#notice'), /^Not connected: (connection lost \(1006\)|cannot connect)\. Attempt/);
  }
  await screenshot(pages[0], 'scada-lost');
  for (const attempt of [1, 2, 3]) {
    const pause = await pages[0].waitForFunction((wanted) => {
      const now = window.__scada.status.current();
      return now.state === 'error' && now.attempt >= wanted ? [now.attempt, now.nextAttemptAt - Date.now()] : null;
    }, attempt, { timeout: kBackMs, polling: 20 });
    pauses.push(await pause.jsonValue());
  }
  // Each was read some time after its beginning, so only the longest it may be is sure: 1, 2, 4 s and a tenth.
  for (const [attempt, ms] of pauses) assert.ok(ms <= 1100 * 2 ** (attempt - 1) + 50, `attempt ${attempt}: ${ms} ms`);
  assert.ok(pauses[2][1] > 1100, `the third pause is longer than the first: ${JSON.stringify(pauses)}`);

  const startedAgain = Date.now();
  await scada.start();
  for (const page of pages) {
    await waitState(page, 'connected', kBackMs);
    await waitMorePoints(page, 100, kBackMs);
    assert.ok(await page.isHidden('#notice'));
  }
  await idle();
  const { readings } = await ask('/readings', { sensor: 'counter', limit: 10_000 });
  const values = readings.map(({ value }) => value);
  assert.equal(new Set(values).size, values.length, 'a reading is stored twice');
  const kept = new Set(values);
  assert.deepEqual(acknowledged.filter((value) => !kept.has(value)), []);
  console.log(`${acknowledged.length} readings acknowledged before the kill, ${values.length} stored`);

  // A page that is opened now shows what was before.
  const fresh = await open();
  await fresh.click('[data-range="15m"]');
  await waitText(fresh, '#chart-note', /averages of 1 s/);
  const { times } = (await facts(fresh)).chart;
  assert.ok(times[0] < startedAgain && times[0] <= before.chart.times.at(-1), 'the history before the kill');
  await fresh.waitForFunction((old) => window.__scada.facts().chart.times.at(-1) > old, times.at(-1), { timeout: kSoonMs });
  await waitText(fresh, '#alarms', /power-020/);
  await fresh.context().close();
  for (const page of pages) assert.deepEqual(page.complaints, []);
});

test('ThreeTriesInVain_MakeAFailedJob_ThatAnOperatorRetries', async () => {
  const sources = mkdtempSync(join(tmpdir(), 'kilat-scada-'));
  cpSync(join(repository, 'examples/scada/kilat.toml'), join(sources, 'scada/kilat.toml'), { recursive: true });
  const config = join(sources, 'scada/kilat.toml');
  // Readings must be on disk twice, and one does not fit into the second file, because its quotes are escaped once more.
  writeFileSync(config, readFileSync(config, 'utf8')
    .replace('history = [\n', 'history = [\n  "scada-data bytes=64MiB durable",\n').replace('ingest_keep = "2d"', 'ingest_keep = 0')
    .replace('[server]\n', '[server]\ndrain_ms = 100\n'));
  const plant = new Example('example_scada', { env: { ...kApp, SCADA_RECEIVER_KEY: 'gateway' }, args: ['--sources', sources] });
  let page;
  try {
    await plant.start();
    tokens.there = await tokenOf('operator', plant);
    await call('/api/firehose', { of: plant, token: tokens.there, body: { rate: 0 } });
    // Started again the plant stands still, and both files are small.
    await plant.stop();
    await plant.start();
    assert.equal((await call('/api/status', { of: plant })).body.rate.asked, 0);
    const limit = (bytes) => execFileSync('prlimit', ['--pid', String(plant.process.pid), `--fsize=${bytes}:unlimited`]);
    limit(600_000);
    const reading = { channel: 'retried', value: 5, note: '"'.repeat(200_000) };
    assert.equal((await call('/api/scada/receive', { of: plant, body: reading })).status, 401, 'this plant wants a key');
    const { status, body } = await call('/api/scada/receive', { of: plant, token: 'gateway', body: reading });
    assert.equal(status, 202);
    const failed = await eventually(async () => (await call('/api/jobs/failed', { of: plant })).body.jobs[0], 'a failed job');
    assert.deepEqual([failed.job, failed.readings, failed.tries], [body.job, 1, 3]);
    page = await open({}, plant);
    await waitText(page, '#failed', new RegExp(`${failed.job}: 1 reading, 3 tries`));
    assert.equal(await page.locator('#failed button').count(), 0, 'only operators may');
    await logIn(page, 'operator');
    await page.waitForSelector('#failed button', { timeout: kSoonMs });
    await screenshot(page, 'scada-failed');
    const made = await client(plant);
    const heard = await follow(made, 'scada-data');
    limit('unlimited');
    await page.click('#failed button:text-is("Retry")');
    await eventually(() => heard.some(([, data]) => data.channel === 'retried' && data.data.value === 5), 'the reading');
    await waitText(page, '#failed', /^None/);
    assert.equal(heard.filter(([, data]) => data.channel === 'retried').length, 1);
    assert.equal((await call(`/api/jobs/failed/${failed.job}`, { of: plant, method: 'DELETE', token: tokens.there })).status, 404);
    made.disconnect();
  } finally {
    await page?.context().close();
    await plant.remove();
    rmSync(sources, { recursive: true, force: true });
  }
});

test('Stopped_SaysGoodbye_AndEndsWithZero', async () => {
  assert.equal(await scada.stop(), 0);
  for (const page of pages) await page.waitForFunction(() => window.__scada.facts().state !== 'connected', null, { timeout: kSoonMs });
  await scada.start();
  for (const page of pages) await waitState(page, 'connected', kBackMs);
});
