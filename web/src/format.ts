// Numbers as people read them. Every function returns text of a steady width class, so that figures do not dance.

const kSteps = ['', 'k', 'M', 'G', 'T'];

/** Three significant digits at most, no exponent: 0.42, 3.1, 42.5, 1 204. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function isByteRate(unit: string): boolean {
  return /^(b|bytes?)(\/s|ps)$/i.test(unit);
}

/** Value and unit apart, since the page sets them in different sizes. Byte rates are scaled by powers of 1000. */
export function formatValue(value: number, unit: string): [string, string] {
  if (!isByteRate(unit)) return [formatNumber(value), unit];
  let scaled = value;
  let step = 0;
  while (Math.abs(scaled) >= 999.5 && step < kSteps.length - 1) {
    scaled /= 1000;
    step++;
  }
  return [step === 0 ? Math.round(scaled).toString() : formatNumber(scaled), `${kSteps[step]!}B/s`];
}

/** Text of an axis tick: short, without trailing zeros. */
export function formatTick(value: number, unit: string): string {
  if (isByteRate(unit)) {
    const [text, scaled] = formatValue(value, unit);
    return value === 0 ? '0' : `${Number(text.replace(/,/g, ''))} ${scaled.replace('B/s', '')}B`;
  }
  return `${Number(value.toPrecision(6)).toLocaleString('en')}${unit === '%' ? '%' : ''}`;
}

export function formatCount(value: number): string {
  return value.toLocaleString('en');
}

const kClock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** Local time of day, HH:MM:SS. */
export function formatClock(ms: number): string {
  return kClock.format(ms);
}

/** "just now", "4 s ago", "3 min ago". */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 2) return 'just now';
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`;
  return `${Math.floor(seconds / 3600)} h ago`;
}

/** "3 d 4 h", "4 h 12 min", "12 min". */
export function formatDuration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days}\u00a0d\u00a0${hours % 24}\u00a0h`;
  if (hours > 0) return `${hours}\u00a0h\u00a0${minutes % 60}\u00a0min`;
  return `${minutes} min`;
}
