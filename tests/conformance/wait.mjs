// How long any single wait of a test may last, in milliseconds. Generous: sanitizer builds on a shared machine are slow.
export const kWaitMs = Number(process.env.KILAT_WAIT_MS || 60_000);
