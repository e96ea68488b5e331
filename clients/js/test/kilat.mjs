// The kilat binary for the tests against the real server: see tests/conformance/harness.mjs, and KILAT_BIN there.
import { execFileSync } from 'node:child_process';

import { kBinary } from '../../../tests/conformance/harness.mjs';

export { encryptingApi } from '../../../tests/conformance/sdk_clients.mjs';
export { startServer } from '../../../tests/conformance/harness.mjs';

/** Options of a test that needs a server with history: one that has the setting `app.history`. */
export function kHistory() {
  const settings = execFileSync(kBinary, ['config', '--markdown'], { encoding: 'utf8' });
  return { skip: settings.includes('`history`') ? false : 'this kilat has no history' };
}
