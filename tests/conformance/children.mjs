// Processes that a test file has started end with the file, also when a test has failed and has ended none of them.
// Without this a server that is left behind, or a client that tries to reach it again and again, keeps the runner waiting.
import { after } from 'node:test';

import { kWaitMs } from './wait.mjs';

const running = new Set();

process.once('exit', () => { for (const child of running) child.kill('SIGKILL'); });
// This hook comes before those of the file, which may end servers themselves: they have their time.
after(() => { setTimeout(() => process.exit(), kWaitMs).unref(); });

/** Returns the child; it is killed when this file ends, if it has not ended by then. */
export function endWithFile(child) {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}
