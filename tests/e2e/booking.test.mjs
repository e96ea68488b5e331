// examples/booking from the request coming in to the picture changing on the screen: the real program, its React half and
// its Vue half in a real Chromium, stock pusher-js clients beside them; the server killed, frozen and restarted in between.
//   KILAT_EXAMPLES names the folder of the programs, CHROMIUM the browser.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import {
  ask, book, bookingServer, fill, freshAdmin, kBackMs, newSession, openHalves, Reader, sessionOf, sign, tokenOf,
} from './booking_client.mjs';
import { launchBrowser } from './browser.mjs';
import { screenshot } from './example.mjs';

let server;
let browser;
let toClose = [];
const servers = [];

async function another(env) {
  const started = await bookingServer(env);
  servers.push(started);
  return started;
}

/** A page of the server in a browser profile of its own, with its halves. */
async function open(where = server, path = '/', options = {}) {
  const opened = await openHalves(browser, where, path, options);
  toClose.push(opened.context);
  return opened;
}

function reader(where, token) {
  const made = new Reader(where, token);
  toClose.push(made);
  return made;
}

before(async () => {
  server = await another();
  browser = await launchBrowser();
});

afterEach(async () => {
  await Promise.all(toClose.splice(0).map((each) => each.close()));
});

after(async () => {
  await browser?.close();
  const codes = await Promise.all(servers.map((each) => each.stop()));
  await Promise.all(servers.map((each) => each.remove()));
  assert.deepEqual(codes, servers.map(() => 0), 'servers end cleanly');
});

// The routes.

test('Login_WithTheRightPassword_GivesAToken_OtherwiseSaysWhy', async () => {
  const right = await ask(server, 'POST', '/api/login', { body: { login: 'ana', password: 'ana-demo' } });
  assert.equal(right.status, 200);
  assert.deepEqual(right.body.user, { id: '1', name: 'Ana', roles: [] });
  assert.equal((await ask(server, 'GET', '/api/bookings', { token: right.body.token })).status, 200);
  for (const [status, body] of [
    [401, { login: 'ana', password: 'wrong' }],
    [401, { login: 'nobody', password: 'ana-demo' }],
    [422, { login: 'ana' }],
    [422, { login: 'ana', password: 7 }],
    [422, ['ana']],
    [400, 'no json'],
  ]) {
    const answer = await ask(server, 'POST', '/api/login', { body });
    assert.equal(answer.status, status, JSON.stringify(body));
    assert.equal(typeof answer.body.error, 'string');
  }
});

test('Routes_WithoutAUserOrTheRole_Answer401And403', async () => {
  const past = sign({ sub: '1', name: 'Ana', roles: [], exp: 1 });
  const forged = sign({ sub: '1', name: 'Ana', roles: ['admin'], exp: 4102444800 }, 'f'.repeat(64));
  for (const token of [undefined, past, forged, 'nonsense']) {
    for (const [method, path] of [
      ['GET', '/api/bookings'], ['POST', '/api/bookings'], ['POST', '/api/bookings/1/pay'], ['POST', '/api/sessions'],
      ['PUT', '/api/sessions/1/capacity'], ['POST', '/api/notifications'],
    ]) {
      const answer = await ask(server, method, path, { token, ...(method === 'GET' ? {} : { body: {} }) });
      assert.equal(answer.status, 401, `${method} ${path}`);
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
    }
  }
  const token = tokenOf();
  const mine = (await book(server, tokenOf(), await newSession(server, 5))).body;
  for (const [method, path, body] of [
    ['POST', '/api/sessions', { name: 'x', date: '2099-01-01T10:00', capacity: 5 }],
    ['PUT', '/api/sessions/1/capacity', { capacity: 5 }],
    ['POST', '/api/notifications', { message: 'x' }],
    ['POST', `/api/bookings/${mine.booking_id}/confirm`],
    ['POST', `/api/bookings/${mine.booking_id}/pay`],
    ['POST', `/api/bookings/${mine.booking_id}/cancel`],
  ]) {
    assert.equal((await ask(server, method, path, { token, body })).status, 403, `${method} ${path}`);
  }
});

test('Routes_WithBadInput_SayWhatIsWrong', async () => {
  const id = await newSession(server, 5);
  const bad = [
    [400, 'POST', '/api/bookings', '{"session_id":'],
    [422, 'POST', '/api/bookings', '[]'],
    [422, 'POST', '/api/bookings', { session_id: id }],
    [422, 'POST', '/api/bookings', { session_id: String(id), seats: 1 }],
    ...[0, -1, 1.5, 11, 1e300, null].map((seats) => [422, 'POST', '/api/bookings', { session_id: id, seats }]),
    [404, 'POST', '/api/bookings', { session_id: 999_999, seats: 1 }],
    [404, 'POST', '/api/bookings/999999/pay'],
    [404, 'POST', '/api/bookings/one/cancel'],
    [422, 'POST', '/api/sessions', { name: '', date: '2099-01-01T10:00', capacity: 5 }],
    [422, 'POST', '/api/sessions', { name: 'x'.repeat(81), date: '2099-01-01T10:00', capacity: 5 }],
    [422, 'POST', '/api/sessions', { name: 'a\nb', date: '2099-01-01T10:00', capacity: 5 }],
    ...['tomorrow', '2099-02-30T10:00', '2099-01-01', '2099-01-01T24:00', '2099-1-1T10:00', '1999-01-01T10:00', 5].map(
      (date) => [422, 'POST', '/api/sessions', { name: 'x', date, capacity: 5 }]),
    ...[0, 10_001, '5'].map((capacity) => [422, 'PUT', `/api/sessions/${id}/capacity`, { capacity }]),
    [404, 'PUT', '/api/sessions/999999/capacity', { capacity: 5 }],
    [422, 'POST', '/api/notifications', { message: '' }],
    [422, 'POST', '/api/notifications', { message: 'x', level: 'loud' }],
  ];
  for (const [status, method, path, body] of bad) {
    const answer = await ask(server, method, path, { token: freshAdmin(), body });
    assert.equal(answer.status, status, `${method} ${path} ${JSON.stringify(body)}: ${JSON.stringify(answer.body)}`);
    assert.match(answer.body.error, /\w/);
  }
  const key = await book(server, tokenOf(), id, 1, { 'Idempotency-Key': 'x'.repeat(129) });
  assert.equal(key.status, 422);
  assert.equal((await ask(server, 'DELETE', '/api/sessions', { token: freshAdmin() })).status, 405);
  assert.equal((await sessionOf(server, id)).available_slots, 5);
});

test('Booking_ThroughItsLife_KeepsSeatsAndMoneyRight', async () => {
  const id = await newSession(server, 10);
  const token = tokenOf();
  const state = async (booking, what, who = token) => {
    const { status, body } = await ask(server, 'POST', `/api/bookings/${booking.booking_id}/${what}`, { token: who });
    return status === 200 ? `${body.status} ${body.payment_status}` : status;
  };
  const paid = (await book(server, token, id, 3)).body;
  assert.match(paid.booking_code, /^BK-[2-9A-Z]{8}$/);
  assert.deepEqual([paid.status, paid.payment_status], ['pending', 'unpaid']);
  assert.equal(await state(paid, 'pay'), 'confirmed paid');
  assert.equal(await state(paid, 'pay'), 409);
  assert.equal((await sessionOf(server, id)).available_slots, 7);
  const door = (await book(server, token, id, 2)).body;
  assert.equal(await state(door, 'confirm', freshAdmin()), 'confirmed unpaid');
  assert.equal(await state(door, 'confirm', freshAdmin()), 409);
  assert.equal(await state(paid, 'cancel'), 'cancelled refunded');
  assert.equal(await state(paid, 'cancel'), 409);
  assert.equal(await state(door, 'cancel', freshAdmin()), 'cancelled unpaid');
  assert.equal((await sessionOf(server, id)).available_slots, 10);
  const own = (await ask(server, 'GET', '/api/bookings', { token })).body.bookings;
  assert.deepEqual(own.map(({ booking_id }) => booking_id), [door.booking_id, paid.booking_id]);
  const all = (await ask(server, 'GET', '/api/bookings', { token: freshAdmin() })).body.bookings;
  assert.ok(all.length > own.length);
});

test('Capacity_BelowWhatIsBooked_IsRefused', async () => {
  const id = await newSession(server, 10);
  await fill(server, id, 6);
  const set = (capacity) => ask(server, 'PUT', `/api/sessions/${id}/capacity`, { token: freshAdmin(), body: { capacity } });
  assert.equal((await set(5)).status, 409);
  assert.equal((await set(6)).body.available_slots, 0);
  assert.equal((await book(server, tokenOf(), id)).status, 409);
  assert.equal((await set(12)).body.available_slots, 6);
  assert.equal((await book(server, tokenOf(), id)).status, 201);
});

test('RetriedBooking_WithTheSameKey_IsMadeOnce', async () => {
  const id = await newSession(server, 10);
  const token = tokenOf();
  const key = { 'Idempotency-Key': 'order-1' };
  const answers = await Promise.all(Array.from({ length: 10 }, () => book(server, token, id, 2, key)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
  assert.equal(new Set(answers.map(({ body }) => body.booking_code)).size, 1);
  assert.equal(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true').length, 9);
  assert.equal((await sessionOf(server, id)).available_slots, 8);
  assert.equal((await book(server, token, id, 3, key)).status, 422);
  // The key is that of its user.
  assert.equal((await book(server, tokenOf(), id, 3, key)).status, 201);
});

test('UserWithTooManyChanges_IsToldWhenToComeBack', async () => {
  const id = await newSession(server, 5);
  const token = tokenOf();
  const answers = await Promise.all(Array.from({ length: 60 }, () => book(server, token, id, 10)));
  const limited = answers.filter(({ status }) => status === 429);
  assert.ok(limited.length > 0 && limited.length < 60, `${limited.length} of 60`);
  for (const { headers } of limited) assert.ok(Number(headers.get('retry-after')) >= 1);
  assert.equal((await book(server, tokenOf(), id)).status, 201, 'others are not limited');
  assert.equal((await ask(server, 'GET', '/api/sessions')).status, 200);
});

// Never more than there is.

test('LastTenSeats_WantedByTwoHundredAtOnce_GoToTen', async () => {
  const id = await newSession(server, 30);
  await fill(server, id, 20);
  const watcher = reader(server);
  assert.equal(await watcher.read('availability'), 'subscribed');
  const answers = await Promise.all(Array.from({ length: 200 }, () => book(server, tokenOf(), id)));
  const count = (status) => answers.filter((answer) => answer.status === status).length;
  assert.deepEqual([count(201), count(409)], [10, 190]);
  assert.equal((await sessionOf(server, id)).available_slots, 0);
  await watcher.event(({ data }) => data.session_id === id && data.available_slots === 0);
  const slots = watcher.seen.map(({ data }) => data).filter((data) => data.session_id === id).map((data) => data.available_slots);
  // What was booked before may still come, to a reader who was quick.
  assert.deepEqual(slots.filter((free) => free < 10), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
});

test('ServerKilledWhileTwoHundredBook_KeepsWhatItAnswered_AndNeverOversells', async () => {
  const own = await another();
  const id = await newSession(own, 60);
  const wishes = Array.from({ length: 200 }, (_, index) => ({ token: tokenOf(), key: { 'Idempotency-Key': `k${index}` } }));
  let won = 0;
  let killed;
  const wish = async (each) => {
    const answer = await book(own, each.token, id, 1, each.key).catch(() => null);
    each.answer = answer;
    if (answer?.status === 201 && ++won === 15) killed = own.kill();
  };
  await Promise.all(wishes.map(wish));
  await killed;
  assert.ok(won >= 15);
  const acknowledged = wishes.filter(({ answer }) => answer?.status === 201).map(({ answer }) => answer.body.booking_code);
  await own.start();
  const made = async () => (await ask(own, 'GET', '/api/bookings', { token: freshAdmin() })).body.bookings;
  const survived = new Set((await made()).map(({ booking_code }) => booking_code));
  for (const code of acknowledged) assert.ok(survived.has(code), `${code} was acknowledged`);
  assert.equal((await sessionOf(own, id)).available_slots, 60 - survived.size);
  // All ask again, with their keys: who has a seat gets it told, and the rest of the seats go to others.
  const again = await Promise.all(wishes.map((each) => book(own, each.token, id, 1, each.key)));
  const codes = again.filter(({ status }) => status === 201).map(({ body }) => body.booking_code);
  assert.equal(codes.length, 60);
  assert.equal(again.filter(({ status }) => status === 409).length, 140);
  for (const code of acknowledged) assert.ok(codes.includes(code));
  assert.equal((await made()).length, 60);
  assert.equal((await sessionOf(own, id)).available_slots, 0);
});

// The channels.

test('Events_HaveTheFieldsThatClientsKnow', async () => {
  const token = tokenOf('fields');
  const watcher = reader(server, token);
  for (const channel of ['availability', 'notifications', 'private-booking.fields', 'private-user.fields']) {
    assert.equal(await watcher.read(channel), 'subscribed', channel);
  }
  const id = await newSession(server, 10, 'Fields');
  const { body: made } = await book(server, token, id, 4);
  await ask(server, 'POST', `/api/bookings/${made.booking_id}/pay`, { token });
  await ask(server, 'PUT', `/api/sessions/${id}/capacity`, { token: freshAdmin(), body: { capacity: 12 } });
  await ask(server, 'POST', '/api/notifications', { token: freshAdmin(), body: { message: 'Fields', level: 'warning' } });

  const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
  const plain = ({ data }) => {
    const { updated_at, ...rest } = data;
    assert.match(updated_at, iso);
    return rest;
  };
  const of = (channel, event) => (each) => each.channel === channel && each.event === event;
  const free = (slots) => (each) => each.event === 'AvailabilityUpdated' && each.data.session_id === id && each.data.available_slots === slots;
  const session = { session_id: id, session_name: 'Fields', date: '2099-05-01T19:00' };
  assert.deepEqual(plain(await watcher.event(free(6))), { ...session, available_slots: 6, total_capacity: 10 });
  assert.deepEqual(plain(await watcher.event(free(8))), { ...session, available_slots: 8, total_capacity: 12 });
  const capacity = await watcher.event((each) => each.event === 'CapacityUpdated' && each.data.session_id === id);
  assert.deepEqual(capacity.data, { session_id: id, current_capacity: 4, max_capacity: 12 });
  const system = await watcher.event((each) => each.event === 'SystemNotification' && each.data.message === 'Fields');
  assert.equal(system.data.level, 'warning');
  const booking = { booking_id: made.booking_id, booking_code: made.booking_code };
  for (const channel of ['private-booking.fields', 'private-user.fields']) {
    await watcher.event((each) => of(channel, 'BookingStatusUpdated')(each) && each.data.status === 'confirmed');
    const [first, second] = watcher.seen.filter(of(channel, 'BookingStatusUpdated'));
    assert.deepEqual(plain(first), { ...booking, status: 'pending', payment_status: 'unpaid' });
    assert.deepEqual(plain(second), { ...booking, status: 'confirmed', payment_status: 'paid' });
    assert.ok(second.data.updated_at > first.data.updated_at);
  }
  const payment = await watcher.event(of('private-user.fields', 'PaymentStatusUpdated'));
  assert.deepEqual(plain(payment), { ...booking, payment_status: 'paid' });
});

test('PrivateChannels_OfSomebodyElse_AreRefused_ButToAdmins', async () => {
  const auth = (token, channel) =>
    ask(server, 'POST', '/api/broadcasting/auth', {
      token,
      body: new URLSearchParams({ socket_id: '1.1', channel_name: channel }).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
  for (const channel of ['private-booking.1', 'private-user.1']) {
    assert.equal((await auth(undefined, channel)).status, 401);
    assert.equal((await auth('nonsense', channel)).status, 401);
    assert.equal((await auth(tokenOf('2'), channel)).status, 403);
    assert.equal((await auth(tokenOf('1'), channel)).status, 200);
    assert.equal((await auth(freshAdmin(), channel)).status, 200);
  }
  const nobody = reader(server);
  assert.equal(await nobody.read('private-booking.1'), 401);
  assert.equal(await nobody.read('availability'), 'subscribed');
  assert.notEqual(await nobody.read('something-else'), 'subscribed');
  const ben = reader(server, tokenOf('2'));
  assert.equal(await ben.read('private-user.1'), 403);
  assert.equal(await ben.read('private-user.2'), 'subscribed');
});

test('NewsOfAUser_ReachThatUserAndAnAdmin_AndNobodyElse', async () => {
  const [ana, ben, admin] = [reader(server, tokenOf('n1')), reader(server, tokenOf('n2')), reader(server, freshAdmin())];
  assert.equal(await ana.read('private-user.n1'), 'subscribed');
  assert.equal(await ben.read('private-user.n2'), 'subscribed');
  assert.equal(await ben.read('private-user.n1'), 403);
  for (const channel of ['private-user.n1', 'private-user.n2']) assert.equal(await admin.read(channel), 'subscribed');
  const id = await newSession(server, 10);
  const hers = (await book(server, tokenOf('n1'), id)).body.booking_id;
  const his = (await book(server, tokenOf('n2'), id)).body.booking_id;
  const of = (booking) => ({ data }) => data.booking_id === booking;
  await Promise.all([ana.event(of(hers)), ben.event(of(his)), admin.event(of(hers)), admin.event(of(his))]);
  assert.ok(!ana.seen.some(of(his)));
  assert.ok(!ben.seen.some(of(hers)));
});

// The page.

test('BookingInOneHalf_LowersTheSlotsInTheOther_AndInAThirdBrowser', async () => {
  const id = await newSession(server, 20, 'Side by side');
  const [both, other] = await Promise.all([open(), open(server, '/react/', { colorScheme: 'dark' })]);
  const { react, vue } = both;
  await Promise.all([react.connected(), vue.connected(), other.react.connected()]);
  await react.signIn('ana');
  await vue.signIn('ben');
  await Promise.all([react.shows(id, 20, 'available'), vue.shows(id, 20, 'available'), other.react.shows(id, 20)]);

  await react.book(id, 4);
  await Promise.all([react, vue, other.react].map((half) => half.shows(id, 16)));
  await vue.book(id, 6);
  await Promise.all([react, vue, other.react].map((half) => half.shows(id, 10)));
  const code = await react.find('tr[data-status="pending"] code').first().textContent();
  await react.find(`tr[data-booking="${code}"] button`).filter({ hasText: 'Pay' }).click();
  await react.bookingIs(code, 'confirmed', 'paid');
  await react.notice(`Payment of ${code}: paid`);
  assert.equal(await vue.find(`tr[data-booking="${code}"]`).count(), 0, 'a booking is shown to its user only');
  await react.find(`tr[data-booking="${code}"] button`).filter({ hasText: 'Cancel' }).click();
  await react.bookingIs(code, 'cancelled', 'refunded');
  await Promise.all([react, vue, other.react].map((half) => half.shows(id, 14)));
  assert.deepEqual([...both.errors, ...other.errors], []);
});

test('Sessions_AsTheyFill_GoFromAvailableToSoldOut', async () => {
  const id = await newSession(server, 20, 'Filling');
  const { react, vue } = await open();
  await react.signIn('chen');
  for (const [seats, free, state] of [
    [10, 10, 'available'], [3, 7, 'available'], [1, 6, 'almost-full'], [3, 3, 'almost-full'], [1, 2, 'full'],
    [1, 1, 'full'], [1, 0, 'sold-out'],
  ]) {
    await book(server, tokenOf(), id, seats);
    await Promise.all([react.shows(id, free, state), vue.shows(id, free, state)]);
  }
  await react.session(id).locator('.book button:disabled').waitFor();
  assert.equal((await react.session(id).locator('.badge').textContent()).trim(), 'Sold out');
});

test('Notification_OfTheAdmin_IsShownByAll_AndGoesAfterFiveSeconds', async () => {
  const { page, react, vue, admin } = await open();
  await admin.signIn('admin');
  await Promise.all([react.connected(), vue.connected()]);
  await page.evaluate(() => {
    window.shown = {};
    window.layout = () => [document.getElementById('admin').offsetTop, document.documentElement.scrollHeight].join();
    const watch = (half) => new MutationObserver(() => {
      const there = document.querySelector(`#${half} .notices`).textContent.includes('Doors are open');
      const times = (window.shown[half] ??= {});
      if (there) times.from ??= performance.now();
      if (there) times.layout ??= window.layout();
      if (!there && times.from) times.to ??= performance.now();
    }).observe(document.querySelector(`#${half} .notices`), { childList: true, subtree: true });
    watch('react');
    watch('vue');
  });
  await admin.find('form[aria-label="Notification"] input').fill('Doors are open');
  await admin.find('form[aria-label="Notification"] select').selectOption('warning');
  const layout = await page.evaluate(() => window.layout());
  await admin.find('form[aria-label="Notification"] button').click();
  await page.waitForFunction(() => window.shown.react?.to && window.shown.vue?.to, null, { timeout: kBackMs });
  for (const { from, to, layout: then } of Object.values(await page.evaluate(() => window.shown))) {
    assert.equal(then, layout, 'a notice moves nothing');
    assert.ok(to - from >= 4900, `shown for ${to - from} ms`);
  }
});

test('UnpaidHold_WhenItsTimeIsOver_FreesItsSeatsEverywhere', async () => {
  const own = await another({ BOOKING_HOLD_SECONDS: '2' });
  const id = await newSession(own, 10, 'Held');
  const { react, vue } = await open(own);
  await react.signIn('ana');
  await Promise.all([react.connected(), vue.connected()]);
  const kept = (await book(own, tokenOf(), id, 2)).body;
  await react.shows(id, 8);
  await react.book(id, 5);
  await react.notice('is pending');
  const token = tokenOf();
  const paid = (await book(own, token, id, 1)).body;
  assert.equal((await ask(own, 'POST', `/api/bookings/${paid.booking_id}/pay`, { token })).status, 200);
  const door = await ask(own, 'POST', `/api/bookings/${kept.booking_id}/confirm`, { token: freshAdmin() });
  // On a slow machine the hold may be over before that.
  const free = door.status === 200 ? 7 : 9;
  await Promise.all([react.shows(id, free), vue.shows(id, free)]);
  await react.find('tr[data-status="cancelled"]').first().waitFor();
  await react.notice('is cancelled');
  assert.equal((await sessionOf(own, id)).available_slots, free);
});

test('Admin_OnThePage_OpensSessionsAndChangesCapacities', async () => {
  const { react, vue, admin, errors } = await open();
  await vue.signIn('dina');
  await admin.signIn('admin');
  await Promise.all([react.connected(), vue.connected()]);
  const form = admin.find('form[aria-label="New session"]');
  await form.locator('input').nth(0).fill('Watercolours');
  await form.locator('input').nth(1).fill('2099-06-01T18:00');
  await form.locator('input').nth(2).fill('12');
  await form.locator('button').click();
  const row = vue.find('.session').filter({ hasText: 'Watercolours' });
  await row.waitFor();
  const id = Number(await row.getAttribute('data-session'));
  await react.shows(id, 12);
  await vue.book(id, 8);
  await react.shows(id, 4, 'available');
  const capacity = admin.find(`.capacity[data-session="${id}"]`);
  await capacity.locator('input').fill('7');
  await capacity.locator('button').click();
  await admin.notice('8 seats are booked already');
  await capacity.locator('input').fill('9');
  await capacity.locator('button').click();
  await Promise.all([react.shows(id, 1, 'almost-full'), vue.shows(id, 1, 'almost-full')]);
  await react.notice('now has 9 seats');
  const code = await vue.find('tr[data-status="pending"] code').first().textContent();
  await admin.find(`tr[data-booking="${code}"] button`).filter({ hasText: 'Confirm' }).click();
  await vue.bookingIs(code, 'confirmed', 'unpaid');
  await vue.notice(`Booking ${code} is confirmed`);
  assert.deepEqual(errors, []);
});

test('Page_ShowsErrors_AndGoesOn', async () => {
  const id = await newSession(server, 3, 'Contended');
  const { page, react, vue, admin, errors } = await open();
  await react.connected();
  await admin.signIn('ben');
  await admin.find('p').filter({ hasText: 'is not an admin.' }).waitFor();
  await react.trySignIn('ana', 'wrong');
  await react.notice('wrong name or password');
  await react.signIn('ana');
  await react.session(id).locator('select').selectOption('3');
  // Somebody is faster, and the page has not heard of it yet.
  await page.route('**/api/bookings', async (route) => {
    if (route.request().method() === 'POST') await book(server, tokenOf(), id, 1);
    await route.continue();
  });
  await react.session(id).locator('.book button').click();
  await react.notice('only 2 seats are left');
  await page.unroute('**/api/bookings');
  await react.shows(id, 2);
  // A request that is lost on its way is sent again, and is one booking.
  let lost = 0;
  await page.route('**/api/bookings', async (route) => {
    if (route.request().method() !== 'POST' || lost++ > 0) return route.continue();
    await route.fetch();
    return route.abort();
  });
  await react.book(id, 2);
  await Promise.all([react.shows(id, 0, 'sold-out'), vue.shows(id, 0, 'sold-out')]);
  await page.waitForFunction(() => document.querySelectorAll('#react tr[data-status="pending"]').length > 0);
  assert.equal((await sessionOf(server, id)).available_slots, 0);
  // Who is signed in stays so over a reload.
  await page.reload();
  await react.find('.who').waitFor();
  assert.deepEqual(errors, []);
});

test('ServerKilledAndRestarted_PagesComeBackByThemselves_WithWhatTheyMissed', async () => {
  const own = await another();
  const id = await newSession(own, 20, 'Survivor');
  const [both, other] = await Promise.all([open(own), open(own, '/vue/')]);
  await both.react.signIn('ana');
  await both.vue.signIn('ben');
  await Promise.all([both.react, both.vue, other.vue].map((half) => half.shows(id, 20)));
  const halves = [both.react, both.vue, other.vue];
  await Promise.all(halves.map((half) => half.connected()));
  await ask(own, 'POST', '/api/notifications', { token: freshAdmin(), body: { message: 'Welcome' } });
  await Promise.all(halves.map((half) => half.notice('Welcome')));
  await own.kill();
  await Promise.all(halves.map((half) => half.disconnected()));
  await both.react.find('.line').filter({ hasText: /attempt [2-9]/ }).waitFor({ timeout: kBackMs });
  await own.start();
  await ask(own, 'POST', '/api/notifications', { token: freshAdmin(), body: { message: 'We are back' } });
  const made = (await book(own, tokenOf('1'), id, 3)).body;
  await Promise.all(halves.map((half) => half.notice('We are back')));
  await Promise.all(halves.map((half) => half.shows(id, 17)));
  await both.react.bookingIs(made.booking_code, 'pending', 'unpaid');
  await Promise.all(halves.map((half) => half.connected(kBackMs)));
  // And what comes now, comes live.
  await both.vue.book(id, 2);
  await Promise.all(halves.map((half) => half.shows(id, 15)));
  assert.deepEqual([...both.errors, ...other.errors], []);
});

test('ServerFrozen_PagesNotice_AndComeBackWhenItGoesOn', async () => {
  const own = await another();
  const id = await newSession(own, 20, 'Sleeper');
  const { react, vue, errors } = await open(own);
  await react.signIn('ana');
  await vue.signIn('ben');
  await Promise.all([react.shows(id, 20), vue.shows(id, 20), react.connected(), vue.connected()]);
  own.freeze();
  await Promise.all([react.disconnected(), vue.disconnected()]);
  own.thaw();
  await book(own, tokenOf(), id, 5);
  await Promise.all([react.shows(id, 15), vue.shows(id, 15), react.connected(kBackMs), vue.connected(kBackMs)]);
  await react.book(id, 1);
  await Promise.all([react.shows(id, 14), vue.shows(id, 14)]);
  assert.deepEqual(errors, []);
});

test('Pages_InLightAndDark_AreKeptAsPictures', async () => {
  const own = await another();
  const [, pottery, tour] = (await ask(own, 'GET', '/api/sessions')).body.sessions.map(({ session_id }) => session_id);
  await Promise.all([fill(own, pottery, 7), fill(own, tour, 37)]);
  await fill(own, await newSession(own, 10, 'Wine tasting'), 10);
  for (const colorScheme of ['light', 'dark']) {
    const { page, react, vue, admin } = await open(own, '/', { colorScheme });
    await screenshot(page, `booking-signed-out-${colorScheme}`);
    await react.signIn('ana');
    await vue.signIn('ben');
    await admin.signIn('admin');
    await react.book(pottery, 1);
    await react.notice('is pending');
    await vue.book(tour, 1);
    await vue.notice('is pending');
    await react.find('tr button').filter({ hasText: 'Pay' }).first().click();
    await react.find('tr[data-status="confirmed"]').first().waitFor();
    await admin.find('tr[data-status="confirmed"]').first().waitFor();
    await screenshot(page, `booking-${colorScheme}`);
  }
  const phone = await open(own, '/vue', { viewport: { width: 390, height: 844 }, isMobile: true });
  await phone.vue.signIn('dina');
  await phone.vue.find('.who').waitFor();
  await screenshot(phone.page, 'booking-vue-phone');
  const wide = await phone.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, 'nothing is cut off at the side');
});

test('Figures_OfConnectionEventAndScreen_ArePrinted', async (t) => {
  const kRuns = 30;
  const figures = (times) => {
    const sorted = [...times].sort((a, b) => a - b);
    return `median ${sorted[Math.floor(kRuns / 2)].toFixed(1)} ms, p99 ${sorted[kRuns - 1].toFixed(1)} ms`;
  };
  const connection = [];
  for (let run = 0; run < kRuns; ++run) {
    const from = performance.now();
    const { pusher } = new Reader(server);
    await new Promise((done) => pusher.connection.bind('connected', done));
    connection.push(performance.now() - from);
    pusher.disconnect();
  }
  const id = await newSession(server, 100, 'Figures');
  const watcher = reader(server);
  assert.equal(await watcher.read('availability'), 'subscribed');
  const { page, react, vue } = await open();
  await Promise.all([react.connected(), vue.connected(), react.shows(id, 100), vue.shows(id, 100)]);
  const events = [];
  const screens = [];
  for (let run = 1; run <= kRuns; ++run) {
    const token = tokenOf();
    const from = performance.now();
    void book(server, token, id);
    const { at } = await watcher.event(({ data }) => data.session_id === id && data.available_slots === 100 - run);
    events.push(at - from);
    await vue.shows(id, 100 - run);
  }
  for (let run = 1; run <= kRuns; ++run) {
    const change = page.evaluate(([session, wanted, token]) => new Promise((done) => {
      const slots = document.querySelector(`#vue .session[data-session="${session}"] .slots`);
      const from = performance.now();
      const observer = new MutationObserver(() => {
        if (slots.textContent !== wanted) return;
        observer.disconnect();
        done(performance.now() - from);
      });
      observer.observe(slots, { characterData: true, childList: true, subtree: true });
      const body = JSON.stringify({ session_id: session, seats: 1 });
      void fetch('/api/bookings', { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body });
    }), [id, String(100 - kRuns - run), tokenOf()]);
    screens.push(await change);
  }
  t.diagnostic(`connection: ${figures(connection)}`);
  t.diagnostic(`booking sent, event received: ${figures(events)}`);
  t.diagnostic(`booking sent, other half changed: ${figures(screens)}`);
  assert.equal(screens.length, kRuns);
});
