// How long any single wait of a test may last. Generous: the machine may be busy with something else.
import assert from 'node:assert/strict';

export const kWaitMs = Number(process.env.KILAT_WAIT_MS || 60_000);

/** Resolves with the first truthy value of `probe`. */
export async function eventually(probe, what) {
  const deadline = Date.now() + kWaitMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) assert.fail(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
