// One sensor reading out of an event's payload.

export interface Reading {
  sensor: string;
  value: number;
  /** When it was measured, ms since 1970. */
  at: number;
  unit: string;
  /** When the event was published, ms since 1970; null when the payload does not say so. */
  publishedAt: number | null;
}

/** Seconds or milliseconds since 1970, or ISO 8601; null for anything else. */
export function parseTime(raw: unknown): number | null {
  if (typeof raw === 'number' && Number.isFinite(raw) && raw > 0) {
    // 1e11 s is the year 5138 and 1e11 ms is 1973: no plant has readings on the wrong side of it.
    return raw < 1e11 ? raw * 1000 : raw;
  }
  if (typeof raw === 'string' && raw !== '') {
    const number = Number(raw);
    if (Number.isFinite(number)) return parseTime(number);
    const time = Date.parse(raw);
    return Number.isNaN(time) ? null : time;
  }
  return null;
}

/**
 * Accepts the envelope `{data: {channel, value, timestamp, unit?}, timestamp, channel}` and the bare reading
 * `{channel, value, timestamp?, unit?}`. Returns null when there is no sensor name or no finite value.
 */
export function parseReading(payload: unknown, now: number): Reading | null {
  if (typeof payload !== 'object' || payload === null) return null;
  const outer = payload as Record<string, unknown>;
  const wrapped = typeof outer['data'] === 'object' && outer['data'] !== null;
  const inner = wrapped ? (outer['data'] as Record<string, unknown>) : outer;

  const sensor = inner['channel'] ?? outer['channel'];
  if (typeof sensor !== 'string' || sensor === '' || sensor.length > 200) return null;
  const raw = inner['value'];
  const value = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw;
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;

  return {
    sensor,
    value,
    at: parseTime(inner['timestamp']) ?? parseTime(outer['timestamp']) ?? now,
    unit: typeof inner['unit'] === 'string' ? inner['unit'].slice(0, 16) : '',
    publishedAt: wrapped ? parseTime(outer['timestamp']) : parseTime(inner['timestamp']),
  };
}
