// Runs the binary for tests of its commands: in a folder of its own, with nothing of the caller's environment that
// could be taken for settings.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { kBinary, kWaitMs } from './harness.mjs';

/** The caller's environment without names that Kilat reads. */
export function plainEnvironment() {
  const entries = Object.entries(process.env).filter(([name]) => !/^(KILAT|SOKETI|REVERB|PUSHER)_/.test(name));
  return Object.fromEntries(entries);
}

/** A fresh folder, removed when the test `t` ends. */
export function folder(t) {
  const directory = mkdtempSync(path.join(tmpdir(), 'kilat-cli-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs `kilat ...words` in `cwd` to its end. */
export function kilat(words, { cwd, env = {}, input } = {}) {
  const result = spawnSync(kBinary, words, {
    cwd,
    env: { ...plainEnvironment(), ...env },
    input: input ?? '',
    encoding: 'utf8',
    timeout: kWaitMs,
  });
  return { code: result.status, out: result.stdout, err: result.stderr };
}
