import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load } from './bundle.mjs';

const { attemptWindow } = await load('backoff.ts');

test('Attempts_AreFurtherAndFurtherApart_UpToTenSeconds', () => {
  const windows = [1, 2, 3, 4, 5, 6, 50].map((attempt) => attemptWindow(attempt, 0.5));
  assert.deepEqual(windows, [2500, 2500, 4000, 8000, 10_000, 10_000, 10_000]);
});

test('Attempts_OfManyPages_AreSpreadByTenPercent', () => {
  assert.equal(attemptWindow(9, 0), 9000);
  assert.equal(attemptWindow(9, 1), 11_000);
});
