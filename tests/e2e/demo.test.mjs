// All four systems behind one page: every card is live over its own connection, and says so when its server is gone.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';

import { launchBrowser } from './browser.mjs';
import { complaints, Example, screenshot } from './example.mjs';
import { repository } from './kilat.mjs';

const kSystems = ['scada', 'rvm', 'booking', 'noc'];
const kWaitMs = 60_000;

describe('the demo', () => {
  let demo;
  let browser;
  before(async () => {
    demo = await new Example('../kilat-demo', { args: ['--ports', '0,0,0,0'] }).start();
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await demo?.remove();
  });

  const live = (page, name) =>
    page.waitForFunction((id) => document.querySelector(`#${id} .badge`).textContent === 'live', name, { timeout: kWaitMs });
  const figure = (page, name) => page.textContent(`#${name} [data-figure]`);

  async function open(scheme) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: scheme });
    const page = await context.newPage();
    page.errors = complaints(page);
    await page.goto(demo.url());
    for (const name of kSystems) await live(page, name);
    return page;
  }

  it('shows the plant, the machines and the network moving', async () => {
    const page = await open('light');
    for (const name of ['scada', 'noc']) {
      await page.waitForFunction((id) => document.querySelector(`#${id} [data-figure]`).textContent !== '–', name, {
        timeout: kWaitMs,
      });
      const before = await figure(page, name);
      await page.waitForFunction(
        ([id, old]) => document.querySelector(`#${id} [data-figure]`).textContent !== old,
        [name, before],
        { timeout: kWaitMs },
      );
    }
    await page.waitForFunction(() => document.querySelector('#rvm [data-figure]').textContent !== '–', null, {
      timeout: kWaitMs,
    });
    assert.match(await figure(page, 'scada'), /^\d+\.\d\d °C$/);
    assert.match(await page.textContent('#scada [data-caption]'), /^temperature at sensor temp-001$/);
    await screenshot(page, 'demo-light');
    const dark = await open('dark');
    await dark.waitForFunction(() => document.querySelector('#scada [data-figure]').textContent !== '–');
    await screenshot(dark, 'demo-dark');
    assert.deepEqual(page.errors.concat(dark.errors), []);
  });

  it('fits a phone', async () => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true });
    const page = await context.newPage();
    await page.goto(demo.url());
    for (const name of kSystems) await live(page, name);
    const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    assert.ok(screen <= 390 && content <= screen, `${content} px of content on ${screen} px`);
    await screenshot(page, 'demo-phone');
    await context.close();
  });

  it('leads to a page of each system', async () => {
    const page = await open('light');
    for (const name of kSystems) {
      const address = await page.getAttribute(`#${name} [data-open]`, 'href');
      const answer = await fetch(address);
      assert.equal(answer.status, 200, address);
      assert.match(answer.headers.get('content-type'), /^text\/html/);
    }
  });

  it('says that it connects again when everything is killed, and is live after the restart', async () => {
    const again = new Example('../kilat-demo', { args: ['--ports', '0,0,0,0'] });
    try {
      await again.start();
      const ports = kSystems.map((name) => again.log.map((line) => line.match(`^${name} +http://.*:(\\d+)$`)?.[1]).find(Boolean));
      again.options.args[1] = ports.join(',');
      const page = await (await browser.newContext()).newPage();
      await page.goto(again.url());
      for (const name of kSystems) await live(page, name);
      await again.kill();
      await page.waitForFunction(() => document.querySelector('#scada .badge').textContent !== 'live', null, {
        timeout: kWaitMs,
      });
      await again.start();
      for (const name of kSystems) await live(page, name);
    } finally {
      await again.remove();
    }
  });

  it('kilat demo starts it with its options', () => {
    const binary = process.env.KILAT_BIN ?? `${repository}/build/release/kilat`;
    const refused = spawnSync(binary, ['demo', '--host', 'nowhere'], { encoding: 'utf8', timeout: kWaitMs });
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /must be an IP address/);
  });
});
