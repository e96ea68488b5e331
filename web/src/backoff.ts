// How long one attempt to connect may take before the next one begins.

const kWindowFirstMs = 2500;
const kWindowMaxMs = 10_000;

/**
 * Milliseconds for attempt `attempt` (from 1): doubling to a limit, and ±10 % by `random` (0 to 1), so that many pages
 * do not return at the same instant.
 */
export function attemptWindow(attempt: number, random: number): number {
  const window = Math.min(kWindowMaxMs, Math.max(kWindowFirstMs, 1000 * 2 ** (attempt - 1)));
  return window * (0.9 + 0.2 * random);
}
