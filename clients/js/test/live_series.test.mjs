// LiveSeries with frames and a clock that the test makes.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LiveSeries } from '../dist/live_series.js';

/** Animation frames that come when the test says so; each reading of the clock lets `stepMs` go by. */
class FakeFrames {
  hiddenNow = false;
  requests = 0;
  cancelled = 0;
  stepMs = 0;
  #now = 0;
  #callback = null;
  #shown = new Set();

  request = (callback) => {
    assert.equal(this.#callback, null, 'one frame at a time');
    this.requests++;
    this.#callback = callback;
    return this.requests;
  };
  cancel = () => {
    this.cancelled++;
    this.#callback = null;
  };
  hidden = () => this.hiddenNow;
  onShown = (callback) => {
    this.#shown.add(callback);
    return () => this.#shown.delete(callback);
  };
  now = () => (this.#now += this.stepMs);

  get wanted() {
    return this.#callback !== null;
  }

  frame() {
    const callback = this.#callback;
    this.#callback = null;
    callback?.();
  }

  show() {
    this.hiddenNow = false;
    for (const callback of this.#shown) callback();
  }
}

function make(options = {}) {
  const frames = new FakeFrames();
  const draws = [];
  const series = new LiveSeries({ frames, now: () => 0, draw: (changed) => draws.push([...changed]), ...options });
  return { frames, draws, series };
}

test('Buffer_PastItsCapacity_KeepsTheNewestPoints', () => {
  const { series } = make({ capacity: 3 });
  for (let i = 1; i <= 7; i++) assert.ok(series.push('a', i * 10, i));
  assert.deepEqual(series.points('a'), { times: [5, 6, 7], values: [50, 60, 70] });
  const { updates, points, dropped, evicted } = series.metrics();
  assert.deepEqual({ updates, points, dropped, evicted }, { updates: 7, points: 3, dropped: 0, evicted: 4 });
});

test('Buffer_ByDefault_HoldsAThousandPointsASeries', () => {
  const { series } = make();
  for (let i = 0; i < 1500; i++) series.push('a', i, i);
  assert.equal(series.metrics().points, 1000);
  assert.equal(series.points('a').times[0], 500);
});

test('Readings_ThatAreNoUse_AreDroppedAndCounted', () => {
  const { series } = make({ seriesMax: 1 });
  assert.equal(series.push('a', Number.NaN, 1), false);
  assert.equal(series.push('a', 1, Number.POSITIVE_INFINITY), false);
  assert.equal(series.push('a', 1, 5), true);
  assert.equal(series.push('a', 2, 4), false);
  assert.equal(series.push('a', 3, 5), true);
  assert.equal(series.push('b', 1, 5), false);
  assert.equal(series.metrics().dropped, 4);
  assert.deepEqual(series.points('a').values, [1, 3]);
  assert.deepEqual(series.points('b'), { times: [], values: [] });
});

for (const [fold, wanted] of [
  ['last', [2, 7]],
  ['average', [4, 6]],
  ['min', [1, 5]],
  ['max', [9, 7]],
]) {
  test(`Fold_${fold}_MakesOnePointAnInterval`, () => {
    const { series } = make({ fold, intervalMs: 100 });
    for (const [time, value] of [[1000, 1], [1050, 9], [1099, 2], [1100, 5], [1150, 7]]) series.push('a', value, time);
    assert.deepEqual(series.points('a'), { times: [1000, 1100], values: wanted });
    // The interval of 1000 is over: its point stays as it was.
    assert.equal(series.push('a', 100, 1099), false);
    assert.deepEqual(series.points('a').values, wanted);
  });
}

test('Fold_ByName_IsOfEachSeriesItsOwn', () => {
  const { series } = make({ fold: (name) => (name === 'peak' ? 'max' : 'none'), intervalMs: 100 });
  for (const name of ['peak', 'raw']) for (const value of [3, 8, 4]) series.push(name, value, 10);
  assert.deepEqual(series.points('peak').values, [8]);
  assert.deepEqual(series.points('raw').values, [3, 8, 4]);
});

test('Fold_OfManyIntervals_StaysWithinTheBuffer', () => {
  const { series } = make({ fold: 'last', intervalMs: 10, capacity: 4 });
  for (let time = 0; time < 200; time++) series.push('a', time, time);
  assert.deepEqual(series.points('a'), { times: [160, 170, 180, 190], values: [169, 179, 189, 199] });
});

test('Drawing_OfManyReadings_HappensOnceAFrame', () => {
  const { frames, draws, series } = make();
  for (let i = 0; i < 100; i++) series.push(i % 2 ? 'a' : 'b', i, i);
  assert.equal(frames.requests, 1);
  assert.deepEqual(draws, []);
  frames.frame();
  assert.deepEqual(draws, [['b', 'a']]);
  frames.frame();
  assert.equal(frames.wanted, false);
  series.push('a', 1, 200);
  frames.frame();
  assert.deepEqual(draws, [['b', 'a'], ['a']]);
});

test('Drawing_WhenNothingChanged_DoesNotHappen', () => {
  const { frames, series } = make();
  series.push('a', Number.NaN, 1);
  series.clear('unknown');
  frames.show();
  assert.equal(frames.requests, 0);
});

test('Drawing_OfAHiddenPage_WaitsUntilItIsSeen', () => {
  const { frames, draws, series } = make();
  frames.hiddenNow = true;
  series.push('a', 1, 1);
  series.push('b', 1, 1);
  assert.equal(frames.requests, 0);
  frames.show();
  frames.frame();
  assert.deepEqual(draws, [['a', 'b']]);
});

test('Drawing_OfAPageHiddenAfterTheRequest_IsMadeUpFor', () => {
  const { frames, draws, series } = make();
  series.push('a', 1, 1);
  frames.hiddenNow = true;
  frames.frame();
  assert.deepEqual(draws, []);
  frames.show();
  frames.frame();
  assert.deepEqual(draws, [['a']]);
});

test('Metrics_KnowHowLongDrawingTook', () => {
  const { frames, series } = make();
  for (const [time, took] of [[1, 4], [2, 10], [3, 1]]) {
    frames.stepMs = took;
    series.push('a', 1, time);
    frames.frame();
  }
  const { renders, renderLastMs, renderAverageMs, renderMaxMs } = series.metrics();
  assert.deepEqual({ renders, renderLastMs, renderAverageMs, renderMaxMs }, { renders: 3, renderLastMs: 1, renderAverageMs: 5, renderMaxMs: 10 });
});

test('DrawThatThrows_IsCountedAndDoesNotEndTheDrawing', () => {
  const frames = new FakeFrames();
  let draws = 0;
  const series = new LiveSeries({
    frames,
    draw() {
      draws++;
      throw new Error('of the chart');
    },
  });
  for (const time of [1, 2]) {
    series.push('a', 1, time);
    assert.throws(() => frames.frame(), /of the chart/);
  }
  assert.equal(draws, 2);
  assert.equal(series.metrics().renders, 2);
});

test('Clear_ForgetsAndDrawsThat', () => {
  const { frames, draws, series } = make();
  series.push('a', 1, 1);
  series.push('b', 1, 1);
  frames.frame();
  series.clear('a');
  frames.frame();
  assert.deepEqual(draws.at(-1), ['a']);
  assert.deepEqual(series.names(), ['b']);
  series.clear();
  assert.equal(series.metrics().points, 0);
});

test('Stop_CancelsTheFrameAndDrawsNoMore', () => {
  const { frames, draws, series } = make();
  series.push('a', 1, 1);
  series.stop();
  assert.equal(frames.cancelled, 1);
  series.push('a', 2, 2);
  frames.show();
  assert.equal(frames.requests, 1);
  assert.deepEqual(draws, []);
  assert.deepEqual(series.points('a').values, [1, 2]);
});

test('Options_OutOfRange_AreRefused', () => {
  for (const options of [{ capacity: 0 }, { seriesMax: 0 }, { intervalMs: 0 }, { capacity: Number.NaN }]) {
    assert.throws(() => new LiveSeries(options), RangeError);
  }
});

test('WithoutAPage_DrawsAllTheSame', async () => {
  let series;
  await new Promise((resolve) => {
    series = new LiveSeries({ draw: resolve });
    series.push('a', 1);
  });
  assert.ok(Math.abs(series.points('a').times[0] - Date.now()) < 3_600_000);
  series.stop();
});
