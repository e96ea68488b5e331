// Every case of the Socket.IO list has a test: the list cannot lose a row unnoticed.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { it } from 'node:test';

/** The rows of the list; those that need middleware or dynamic namespaces are for a later release. */
const kRows = Object.freeze({ H: 31, W: 18, U: 12, P: 3, S: 59, R: 14 });
const kLater = new Set(['H11', 'S9', 'S11', 'S12', 'S13', 'S14', 'S15', 'R11', 'R12']);

it('every row is named by a test', () => {
  const folder = new URL('.', import.meta.url);
  const tested = new Set();
  for (const name of readdirSync(folder).filter((file) => /^socketio_.*\.test\.mjs$/.test(file))) {
    const text = readFileSync(new URL(name, folder), 'utf8');
    for (const [, rows] of text.matchAll(/\b(?:it|both)\(\s*[`'"]((?:[A-Z]\d+(?:, )?)+):/g)) {
      for (const row of rows.split(', ')) tested.add(row);
    }
  }
  const missing = [];
  for (const [letter, count] of Object.entries(kRows)) {
    for (let i = 1; i <= count; ++i) {
      const row = `${letter}${i}`;
      if (!tested.has(row) && !kLater.has(row)) missing.push(row);
    }
  }
  assert.deepEqual(missing, []);
});
