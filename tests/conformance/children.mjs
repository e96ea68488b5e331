// Processes that a test file has started end with the file, also when a test has failed and has ended none of them.
// Without this a server that is left behind, or a client that tries to reach it again and again, keeps the runner waiting.
import { after } from 'node:test';

const running = new Set();
const kGoodbyeMs = 5_000;

const endAll = () => { for (const child of running) child.kill('SIGKILL'); };
process.once('exit', endAll);
after(() => {
  endAll();
  setTimeout(() => process.exit(), kGoodbyeMs).unref();
});

/** Returns the child; it is killed when the tests of this file are over, if it has not ended by then. */
export function endWithFile(child) {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}
