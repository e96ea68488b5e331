// The live page from the data coming in to the picture changing on the screen: the real binary, the real `kilat feed`,
// the real Echo and pusher-js of the page, in a real browser.
//   npm ci && node --test        (KILAT_BIN and CHROMIUM name other programs than the defaults)
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { LivePage, launchBrowser } from './browser.mjs';
import { Site } from './kilat.mjs';

const kCards = ['cpu', 'memory', 'load', 'network', 'disk'];
/** Bound for anything that should take well under a second: the machine may be busy and the build sanitized. */
const kSoonMs = 20_000;
/** The page tries again at most 11 s apart, and every attempt may meet a server that is still starting. */
const kBackMs = 45_000;

let site;
let server;
let browser;
let pages;

before(async () => {
  site = new Site();
  server = await site.serve();
  site.listen(server.port);
  site.feed(server.port);
  browser = await launchBrowser();
  pages = await Promise.all([
    LivePage.open(browser, server.port),
    LivePage.open(browser, server.port, { colorScheme: 'dark' }),
    LivePage.open(browser, server.port, { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true }),
  ]);
});

after(async () => {
  await browser?.close();
  await site?.remove();
});

test('LivePage_OnceOpen_IsConnectedAndItsPointsGrow', async () => {
  for (const live of pages) {
    await live.waitForState('connected', kSoonMs);
    assert.equal(await live.text('#state-text'), 'Connected');
    await live.waitForPoints(20, kSoonMs);
  }
});

test('LivePage_WithTelemetry_HasACardForEachKind', async () => {
  for (const live of pages) {
    for (const card of kCards) {
      await live.page.waitForSelector(`[data-card="${card}"] canvas`, { timeout: kSoonMs });
    }
  }
});

test('LivePage_AsDataComes_MovesItsLinesAndItsClock', async () => {
  for (const live of pages) {
    const earlier = await live.facts();
    for (const card of ['cpu', 'network']) {
      const picture = await live.picture(card);
      await live.waitForOtherPicture(card, picture, kSoonMs);
      assert.ok((await live.colors(card)) > 8, `the ${card} chart is blank`);
    }
    const later = await live.facts();
    assert.ok(later.lastUpdate > earlier.lastUpdate, 'the last update did not move');
    await live.page.waitForFunction(() => /^\d+ ms$/.test(document.getElementById('latency').textContent), null, {
      timeout: kSoonMs,
    });
    assert.match(await live.text('#last'), /^\d\d:\d\d:\d\d$/);
  }
});

test('LivePage_LoadsEverythingFromItsOwnServer', async () => {
  const origin = `127.0.0.1:${server.port}`;
  for (const { requests, sockets, violations, errors } of pages) {
    assert.ok(sockets.length > 0);
    for (const url of [...requests, ...sockets]) assert.equal(new URL(url).host, origin, url);
    assert.deepEqual(violations, []);
    assert.deepEqual(errors, []);
  }
});

test('LivePage_OnAPhone_NeedsNoSidewaysScrolling', async () => {
  const { page } = pages[2];
  const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(content <= screen, `${content} px of content on ${screen} px`);
});

test('BareReading_PublishedFromTheTerminal_GetsAChartOfItsOwn', async () => {
  const [live] = pages;
  await site.run([
    'publish', 'plant', 'scada-data', 'scada.data.received', '{"channel":"demo","value":42}',
    '--config', site.config, '--url', `http://127.0.0.1:${server.port}`,
  ]);
  await live.page.waitForSelector('[data-card="sensor:demo"] canvas', { timeout: kSoonMs });
  assert.equal(await live.text('[data-card="sensor:demo"] .figure b'), '42.0');
});

test('LivePage_WhileConnected_IsWorthAPicture', async () => {
  // Some seconds of history make the screenshots useful; nothing is asserted about their looks.
  await pages[0].waitForPoints(200, 3 * kSoonMs);
  await pages[0].screenshot('connected');
  await pages[1].screenshot('dark');
  await pages[2].screenshot('phone');
});

test('ServerKilled_EveryPageSaysSoAndKeepsItsLastPicture', async () => {
  await site.end(server.process, 'SIGKILL');
  for (const live of pages) {
    await live.waitForState('lost', kSoonMs);
    assert.equal(await live.text('#state-text'), 'Connection lost');
    assert.ok(await live.page.isVisible('#notice'));
    assert.match(await live.text('#notice-title'), /^Connection lost, reconnecting \(attempt \d+\)…$/);
    await live.page.waitForFunction(
      () => getComputedStyle(document.getElementById('charts')).filter === 'grayscale(1)',
      null,
      { timeout: kSoonMs },
    );
    assert.ok((await live.colors('cpu')) > 8, 'the last picture is gone');
  }
  const [live] = pages;
  await live.page.waitForFunction(() => /attempt [2-9]/.test(document.getElementById('notice-title').textContent), null, {
    timeout: kSoonMs,
  });
  await live.screenshot('lost');
});

test('ServerBackOnItsPort_EveryPageReconnectsByItself', async () => {
  const earlier = await Promise.all(pages.map((live) => live.facts()));
  const { port } = server;
  server = await site.serve();
  assert.equal(server.port, port);
  for (const [i, live] of pages.entries()) {
    await live.waitForState('connected', kBackMs);
    await live.waitForPoints(20, kBackMs);
    const picture = await live.picture('cpu');
    await live.waitForOtherPicture('cpu', picture, kSoonMs);
    const later = await live.facts();
    assert.ok(later.points > earlier[i].points && later.lastUpdate > earlier[i].lastUpdate);
    assert.ok(!(await live.page.isVisible('#notice')), 'the page still says that the connection is lost');
    assert.deepEqual(live.errors, []);
  }
  await pages[0].screenshot('recovered');
});
