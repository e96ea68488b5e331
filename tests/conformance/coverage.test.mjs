// Every case of the conformance list has a test: the list cannot lose a number unnoticed.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { it } from 'node:test';

/** Numbers of the cases that these files test; the others concern webhooks, clusters, Redis and metrics. */
function expectedCases() {
  const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return [...range(1, 118), ...range(132, 134), 136, ...range(138, 140)];
}

it('every case number is the start of a test name', () => {
  const folder = new URL('.', import.meta.url);
  const tested = new Set();
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.test.mjs'))) {
    const text = readFileSync(new URL(name, folder), 'utf8');
    for (const [, number] of text.matchAll(/\bit\(\s*[`'"]case (\d+)/g)) tested.add(Number(number));
  }
  const missing = expectedCases().filter((number) => !tested.has(number));
  assert.deepEqual(missing, []);
});
