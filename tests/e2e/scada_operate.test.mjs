// Who turns the plant's firehose on its page (examples/scada), and how the slider behaves.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launchBrowser } from './browser.mjs';
import { complaints, Example } from './example.mjs';
import { logIn, waitMorePoints, waitState, waitText } from './scada_page.mjs';

let scada;
let browser;
let page;
let errors;

before(async () => {
  scada = await new Example('example_scada').start();
  browser = await launchBrowser();
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  errors = complaints(page);
  await page.goto(scada.url());
  await waitState(page, 'connected');
});

after(async () => {
  await browser?.close();
  await scada?.remove();
});

async function become(login) {
  if (await page.isVisible('#logout')) await page.click('#logout');
  await logIn(page, login);
}

test('Visitors_AreToldWhoTurnsTheFirehose', async () => {
  const hints = () => Promise.all(['#login-hint', '#role-hint'].map((hint) => page.isVisible(hint)));
  assert.deepEqual(await hints(), [true, false]);
  await become('viewer');
  assert.deepEqual(await hints(), [false, true]);
  await page.click('#logout');
  assert.deepEqual(await hints(), [true, false]);
  await become('operator');
  assert.deepEqual(await hints(), [false, false]);
});

test('Slider_DraggedAwayAndBack_FollowsTheRateAgain', async () => {
  await become('operator');
  const token = await page.evaluate(() => JSON.parse(sessionStorage.getItem('scada-session')).token);
  const setRate = async (rate) => {
    const answer = await fetch(scada.url('/api/firehose'), {
      method: 'POST', headers: { Authorization: `Bearer ${token}` }, body: JSON.stringify({ rate }),
    });
    assert.equal(answer.status, 200);
  };
  await waitMorePoints(page, 1);
  await waitText(page, '#rate-text', /^200$/);
  const slider = page.locator('#rate');
  await slider.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await slider.boundingBox();
  // 200 is the fourth of eight steps.
  const [thumb, middle] = [x + (width * 3) / 7, y + height / 2];
  await page.mouse.move(thumb, middle);
  await page.mouse.down();
  await page.mouse.move(x + (width * 5) / 7, middle, { steps: 5 });
  await waitText(page, '#rate-text', /^5,000$/);
  await page.mouse.move(thumb, middle, { steps: 5 });
  await waitText(page, '#rate-text', /^200$/);
  await page.mouse.up();
  await setRate(100);
  await waitText(page, '#rate-text', /^100$/);
  assert.equal(await slider.inputValue(), '2');
  // And a rate that is chosen is set.
  await slider.fill('3');
  await page.waitForFunction(async () => (await (await fetch('/api/status')).json()).rate.asked === 200);
});

test('Login_WithoutAServer_SaysSoInWords', async () => {
  if (await page.isVisible('#logout')) await page.click('#logout');
  await scada.kill();
  await page.click('#login button');
  await waitText(page, '#login-error', /^the server cannot be reached$/);
  assert.deepEqual(errors, []);
});
