// What the rows of examples/booking's pages offer: sessions that are over, and buttons that are clicked twice.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { bookingServer, newSession, openHalves } from './booking_client.mjs';
import { launchBrowser } from './browser.mjs';

let server;
let browser;

before(async () => {
  server = await bookingServer();
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await server?.remove();
});

test('Session_ThatIsOver_CannotBeBooked_AndAnotherYearIsNamed', async () => {
  const ids = [];
  for (const name of ['Long ago', 'This year', 'Far away']) ids.push(await newSession(server, 10, name));
  const year = new Date().getFullYear();
  const dates = ['2020-05-01T19:00', `${year}-12-31T23:59`, '2099-05-01T19:00'];
  const { page, react, vue, errors } = await openHalves(browser, server);
  await page.route('**/api/sessions', async (route) => {
    const { sessions } = await (await route.fetch()).json();
    await route.fulfill({
      json: { sessions: sessions.map((one) => ({ ...one, date: dates[ids.indexOf(one.session_id)] ?? one.date })) },
    });
  });
  await page.reload();
  await react.signIn('ana');
  await vue.signIn('ben');
  for (const half of [react, vue]) {
    const [over, soon, later] = ids.map((id) => half.session(id));
    await half.shows(ids[0], 10, 'over');
    assert.equal((await over.locator('.badge').textContent()).trim(), 'Over');
    assert.equal(await over.locator('.book').count(), 0);
    assert.equal(await later.locator('.book').count(), 1);
    const texts = await Promise.all([over, soon, later].map((session) => session.locator('.what .soft').textContent()));
    assert.match(texts[0], /2020/);
    assert.ok(!texts[1].includes(String(year)), texts[1]);
    assert.match(texts[2], /2099/);
  }
  assert.deepEqual(errors, []);
});

test('PayAndCancel_ClickedTwice_AreAskedForOnce', async () => {
  const id = await newSession(server, 10, 'Twice');
  const { page, react, vue, errors } = await openHalves(browser, server);
  await react.signIn('dina');
  await vue.signIn('chen');
  const asked = [];
  let answers;
  let answer;
  await page.route(/\/api\/bookings\/\d+\/(pay|cancel)$/, async (route) => {
    asked.push(route.request().url().split('/').at(-1));
    await answers;
    await route.continue();
  });
  for (const half of [react, vue]) {
    await half.shows(id, 10);
    await half.book(id);
    const row = half.find('tr[data-status="pending"]').first();
    const code = await row.locator('code').textContent();
    for (const [name, state] of [['Pay', ['confirmed', 'paid']], ['Cancel', ['cancelled', 'refunded']]]) {
      const button = half.find(`tr[data-booking="${code}"] button`).filter({ hasText: name });
      answers = new Promise((done) => {
        answer = done;
      });
      await button.evaluate((found) => {
        found.click();
        found.click();
      });
      await half.find(`tr[data-booking="${code}"] button:disabled`).filter({ hasText: name }).waitFor();
      answer();
      await half.bookingIs(code, ...state);
    }
  }
  assert.deepEqual(asked, ['pay', 'cancel', 'pay', 'cancel']);
  for (const half of [react, vue]) assert.equal(await half.find('.notices .bad').count(), 0);
  assert.deepEqual(errors, []);
});
