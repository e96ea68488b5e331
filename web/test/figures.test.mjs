import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load } from './bundle.mjs';

const { Series } = await load('series.ts');
const { RateMeter, DelayMeter } = await load('meters.ts');
const { formatValue, formatTick, formatAge, formatDuration } = await load('format.ts');

test('Series_PastItsCapacity_KeepsTheNewestPointsInOrder', () => {
  const series = new Series(4);
  for (let i = 1; i <= 10; i++) series.push(i, i * 10);
  assert.equal(series.length, 4);
  assert.deepEqual(series.window(0), [[7, 8, 9, 10], [70, 80, 90, 100]]);
  assert.deepEqual([series.lastTime, series.lastValue], [10, 100]);
});

test('Series_Window_KeepsOnePointBeforeItsLeftEdge', () => {
  const series = new Series(10);
  for (let i = 1; i <= 6; i++) series.push(i, i);
  assert.deepEqual(series.window(4.5)[0], [4, 5, 6]);
  assert.deepEqual(series.window(100)[0], [6]);
});

test('Series_OlderPoint_IsDropped_AndSameTimeReplaces', () => {
  const series = new Series(10);
  assert.ok(series.push(5, 1));
  assert.ok(!series.push(4, 2));
  assert.ok(series.push(5, 3));
  assert.deepEqual(series.window(0), [[5], [3]]);
});

test('Series_AfterABreak_HasAGapAndAValueAtItsEnd', () => {
  const series = new Series(10);
  series.breakLine();
  series.push(1, 10);
  series.breakLine();
  series.breakLine();
  series.push(3, 30);
  series.push(4, 40);
  assert.deepEqual(series.window(0), [[1, 2, 3, 4], [10, null, 30, 40]]);
  assert.equal(series.lastValue, 40);
});

test('Rate_OverFiveSeconds_ForgetsWhatIsOlder', () => {
  const rate = new RateMeter();
  assert.equal(rate.perSecond(0), 0);
  for (let ms = 0; ms < 10_000; ms += 100) rate.add(ms);
  assert.ok(Math.abs(rate.perSecond(9_999) - 10) < 0.1);
  assert.equal(rate.perSecond(20_000), 0);
});

test('Delay_IsTheMedianOfTheLastFifty', () => {
  const delay = new DelayMeter();
  assert.equal(delay.median(), null);
  for (let i = 0; i < 100; i++) delay.add(1000);
  for (let i = 0; i < 50; i++) delay.add(i < 20 ? 500 : 7);
  assert.equal(delay.median(), 7);
});

test('ByteRates_AreScaled_AndOtherUnitsAreNot', () => {
  assert.deepEqual(formatValue(0, 'B/s'), ['0', 'B/s']);
  assert.deepEqual(formatValue(999, 'bytes/s'), ['999', 'B/s']);
  assert.deepEqual(formatValue(1_250_000, 'B/s'), ['1.25', 'MB/s']);
  assert.deepEqual(formatValue(42.04, '%'), ['42.0', '%']);
  assert.deepEqual(formatValue(NaN, '%'), ['–', '%']);
  assert.deepEqual([formatTick(0, 'B/s'), formatTick(1_500_000, 'B/s'), formatTick(20, '%')], ['0', '1.5 MB', '20%']);
});

test('Ages_ReadLikeSpeech', () => {
  assert.deepEqual([0, 4_200, 180_000, 8_000_000].map(formatAge), ['just now', '4 s ago', '3 min ago', '2 h ago']);
  assert.equal(formatDuration(372_000).replace(/\u00a0/g, ' '), '4 d 7 h');
});
