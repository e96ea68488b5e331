// Numbers and times for people.

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const money = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' });

export const timeText = (ms: number): string => time.format(ms);
export const moneyText = (cents: number): string => money.format(cents / 100);
export const latencyText = (ms: number | null): string =>
  ms === null ? '–' : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;

/** 1.5 kB, 2.1 GB: powers of ten, as networks count. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
