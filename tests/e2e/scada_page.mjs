// What the tests of the plant (scada.test.mjs) ask of its page and of stock clients.
import { readFileSync } from 'node:fs';

/** Bound for anything that should take well under a second: the machine may be busy and the build sanitized. */
export const kSoonMs = 30_000;
export const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

/** Resolves with the first truthy answer of `check`. */
export async function eventually(check, what, timeout = kSoonMs) {
  const end = Date.now() + timeout;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`);
    await sleep(50);
  }
}

/** What a stock client hears on a channel: [event, data]. */
export async function follow(made, name) {
  const heard = [];
  const channel = made.subscribe(name);
  channel.bind_global((event, data) => { if (!event.startsWith('pusher:')) heard.push([event, data]); });
  await new Promise((done) => { channel.bind('pusher:subscription_succeeded', done); });
  return heard;
}

/** What the page knows of itself. */
export const facts = (page) => page.evaluate(() => window.__scada.facts());
export const waitState = (page, state, timeout = kSoonMs) =>
  page.waitForFunction((wanted) => window.__scada?.facts().state === wanted, state, { timeout });
export const waitText = (page, selector, pattern, timeout = kSoonMs) =>
  page.waitForFunction(([css, source]) => new RegExp(source).test(document.querySelector(css)?.textContent ?? ''),
    [selector, pattern.source], { timeout });

/** Resolves when `more` further readings have come. */
export async function waitMorePoints(page, more, timeout = kSoonMs) {
  const { points } = await facts(page);
  await page.waitForFunction((least) => window.__scada.facts().points >= least, points + more, { timeout });
}

export async function logIn(page, login) {
  await page.fill('#login-name', login);
  await page.fill('#login-password', login);
  await page.click('#login button');
  await page.waitForSelector('#logout', { state: 'visible', timeout: kSoonMs });
}

/** Distinct colours of a canvas: a blank one has one. */
export const colors = (page, selector) => page.evaluate((css) => {
  const canvas = document.querySelector(css);
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}, selector);

/** Processor time that a process has used. */
export const cpuSeconds = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
