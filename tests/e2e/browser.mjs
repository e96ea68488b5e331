// Chromium for the tests, and what several of them ask of a live page.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { repository } from './kilat.mjs';

const artifacts = join(repository, 'artifacts');

/** A headless browser with a profile of its own that speaks to nobody but the pages under test. */
export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
}

/** An open live page together with everything it asked for and complained about. */
export class LivePage {
  static async open(browser, port, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const live = new LivePage(await context.newPage());
    await live.page.goto(`http://127.0.0.1:${port}/live/`);
    return live;
  }

  constructor(page) {
    this.page = page;
    this.requests = [];
    this.sockets = [];
    this.violations = [];
    this.errors = [];
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('websocket', (socket) => this.sockets.push(socket.url()));
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) this.violations.push(message.text());
    });
  }

  /** What the page knows of itself: {state, points, lastUpdate}. */
  facts() {
    return this.page.evaluate(() => {
      const { state, points, lastUpdate } = window.__live;
      return { state, points, lastUpdate };
    });
  }

  async waitForState(state, timeout) {
    await this.page.waitForFunction((wanted) => window.__live?.state === wanted, state, { timeout });
  }

  /** Resolves when `more` further points have come. */
  async waitForPoints(more, timeout) {
    const { points } = await this.facts();
    await this.page.waitForFunction((least) => window.__live.points >= least, points + more, { timeout });
  }

  /** The pixels of one card's chart, as a data URL. */
  picture(card) {
    return this.page.evaluate((name) => {
      return document.querySelector(`[data-card="${name}"] canvas`).toDataURL();
    }, card);
  }

  async waitForOtherPicture(card, before, timeout) {
    await this.page.waitForFunction(
      ([name, old]) => document.querySelector(`[data-card="${name}"] canvas`).toDataURL() !== old,
      [card, before],
      { timeout },
    );
  }

  /** Distinct colours in one chart: a blank canvas has one, axes and a line make dozens. */
  colors(card) {
    return this.page.evaluate((name) => {
      const canvas = document.querySelector(`[data-card="${name}"] canvas`);
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    }, card);
  }

  text(selector) {
    return this.page.textContent(selector);
  }

  async screenshot(name) {
    mkdirSync(artifacts, { recursive: true });
    await this.page.screenshot({ path: join(artifacts, `live-${name}.png`), fullPage: true });
  }
}
