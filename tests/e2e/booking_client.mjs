// What the tests of examples/booking share: tokens of as many users as they like, requests, stock clients, pages.
import { createHmac, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { complaints, Example } from './example.mjs';
import { repository } from './kilat.mjs';

const Pusher = createRequire(join(repository, 'tests/package.json'))('pusher-js');

/** Bound for what should take well under a second: the machine may be busy. */
export const kSoonMs = 30_000;
/** Pages try again after 1, 2, 4, … seconds, and every attempt may meet a server that is still starting. */
export const kBackMs = 60_000;

const kSecret = randomBytes(32).toString('hex');
let names = 0;

/** A server with a folder of its own, whose tokens the tests can sign. */
export function bookingServer(env = {}) {
  return new Example('example_booking', { env: { BOOKING_JWT_SECRET: kSecret, ...env } }).start();
}

export function sign(claims, secret = kSecret) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** The token of a user; of a new one, who has not used up any limit, without an id. */
export function tokenOf(id = `test-${++names}`, roles = []) {
  return sign({ sub: id, name: `User ${id}`, roles, exp: Math.floor(Date.now() / 1000) + 3600 });
}

export const freshAdmin = () => tokenOf(undefined, ['admin']);

/** Asks the server; {status, body, headers}. A body that is a text is sent as it is. */
export async function ask(server, method, path, { token, body, headers = {} } = {}) {
  const answer = await fetch(server.url(path), {
    method,
    headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text.startsWith('{') ? JSON.parse(text) : text };
}

/** A session of its own for a test; its id. */
export async function newSession(server, capacity, name = 'Test') {
  const body = { name, date: '2099-05-01T19:00', capacity };
  const answer = await ask(server, 'POST', '/api/sessions', { token: freshAdmin(), body });
  if (answer.status !== 201) throw new Error(`no session: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body.session_id;
}

export async function sessionOf(server, id) {
  const { body } = await ask(server, 'GET', '/api/sessions');
  return body.sessions.find((session) => session.session_id === id);
}

export function book(server, token, session_id, seats = 1, headers = {}) {
  return ask(server, 'POST', '/api/bookings', { token, body: { session_id, seats }, headers });
}

/** Fills a session by users of their own, ten seats each, until `booked` are taken; the bookings with their tokens. */
export async function fill(server, session_id, booked) {
  const made = [];
  for (let left = booked; left > 0; left -= 10) {
    const token = tokenOf();
    made.push({ token, ...(await book(server, token, session_id, Math.min(left, 10))).body });
  }
  return made;
}

/** A stock pusher-js client with the token of a user, or of nobody. */
export class Reader {
  constructor(server, token) {
    this.seen = [];
    this.pusher = new Pusher('booking-key', {
      cluster: '',
      wsHost: '127.0.0.1',
      wsPort: server.port,
      forceTLS: false,
      enabledTransports: ['ws'],
      channelAuthorization: {
        endpoint: server.url('/api/broadcasting/auth'),
        transport: 'ajax',
        headers: token ? { Authorization: `Bearer ${token}` } : {},
      },
    });
  }

  /** Resolves with 'subscribed', or with the status of the refusal. */
  read(channel) {
    const subscription = this.pusher.subscribe(channel);
    subscription.bind_global((event, data) => {
      if (!event.startsWith('pusher:')) this.seen.push({ channel, event, data, at: performance.now() });
    });
    return new Promise((done) => {
      subscription.bind('pusher:subscription_succeeded', () => done('subscribed'));
      subscription.bind('pusher:subscription_error', ({ status }) => done(status));
    });
  }

  /** Resolves with the first event, of now or later, for which `fits` holds. */
  async event(fits) {
    const until = Date.now() + kSoonMs;
    for (;;) {
      const found = this.seen.find(fits);
      if (found) return found;
      if (Date.now() > until) throw new Error(`no such event among ${JSON.stringify(this.seen)}`);
      await new Promise((done) => setTimeout(done, 1));
    }
  }

  close() {
    this.pusher.disconnect();
  }
}

/** One half of a page: `react`, `vue` or `admin`. */
export class Half {
  constructor(page, name) {
    this.page = page;
    this.name = name;
  }

  find(selector) {
    return this.page.locator(`#${this.name} ${selector}`);
  }

  /** Signs in, and waits until news of the user come. Not in two halves of a page at once: they would share the focus. */
  async signIn(login) {
    await this.trySignIn(login, `${login}-demo`);
    await this.find(this.name === 'admin' ? '.who' : '.who[data-listening="true"]').waitFor({ timeout: kSoonMs });
  }

  async trySignIn(login, password) {
    await this.find('.signin input[aria-label="Name"]').fill(login);
    await this.find('.signin input[aria-label="Password"]').fill(password);
    await this.find('.signin button').click();
  }

  async connected(timeout = kSoonMs) {
    await this.find('.line[data-connected="true"]').waitFor({ timeout });
  }

  async disconnected() {
    await this.find('.line[data-connected="false"]').waitFor({ timeout: kBackMs });
  }

  session(id) {
    return this.find(`.session[data-session="${id}"]`);
  }

  /** Waits until a session shows so many free slots, and this state where one is given. */
  async shows(id, slots, state) {
    const selector = `#${this.name} .session[data-session="${id}"]${state ? `[data-state="${state}"]` : ''} .slots`;
    await this.page.waitForFunction(
      ([where, wanted]) => document.querySelector(where)?.textContent === wanted,
      [selector, String(slots)],
      { timeout: kBackMs },
    );
  }

  async book(id, seats = 1) {
    await this.session(id).locator('select').selectOption(String(seats));
    await this.session(id).locator('.book button').click();
  }

  /** Waits for a notice with these words. */
  async notice(text) {
    await this.find('.notices .toast').filter({ hasText: text }).first().waitFor({ timeout: kSoonMs });
  }

  async bookingIs(code, status, payment) {
    await this.find(`tr[data-booking="${code}"][data-status="${status}"][data-payment="${payment}"]`).waitFor({
      timeout: kBackMs,
    });
  }
}

/** A page of the server in a browser profile of its own, with its halves. */
export async function openHalves(browser, server, path = '/', options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const errors = complaints(page);
  await page.goto(server.url(path));
  const halves = Object.fromEntries(['react', 'vue', 'admin'].map((name) => [name, new Half(page, name)]));
  return { context, page, errors, ...halves };
}
