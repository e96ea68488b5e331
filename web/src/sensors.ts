// Which sensors share a card, what the card is called, and in which order the cards stand.

export interface Placement {
  /** Sensors with the same card id are lines of one chart. */
  card: string;
  title: string;
  /** Name of this line inside its card; empty where the card has a single line. */
  line: string;
  /** Position among the cards, and of the line in the palette. */
  rank: number;
  /** Unit where the reading itself names none. */
  unit: string;
}

interface Rule extends Placement {
  pattern: RegExp;
}

// The first match wins. The patterns take the names of several collectors, not only those of `kilat feed`.
const kRules: Rule[] = [
  { pattern: /\bcpu\b/, card: 'cpu', title: 'CPU', line: '', rank: 0, unit: '%' },
  { pattern: /\bmem(ory)?\b/, card: 'memory', title: 'Memory', line: '', rank: 1, unit: '%' },
  { pattern: /\bload\d*\b/, card: 'load', title: 'Load', line: '', rank: 2, unit: '' },
  { pattern: /\bnet(work)?\b.*\b(rx|recv|received|in)\b/, card: 'network', title: 'Network', line: 'in', rank: 3, unit: 'B/s' },
  { pattern: /\bnet(work)?\b.*\b(tx|sent|out)\b/, card: 'network', title: 'Network', line: 'out', rank: 3, unit: 'B/s' },
  { pattern: /\bdisk\b.*\b(read|rd|r)\b/, card: 'disk', title: 'Disk', line: 'read', rank: 4, unit: 'B/s' },
  { pattern: /\bdisk\b.*\b(write|written|wr|w)\b/, card: 'disk', title: 'Disk', line: 'write', rank: 4, unit: 'B/s' },
];

const kOwnCardRank = 5;

/** Where the sensor is drawn. An unknown sensor has a card of its own under its full name. */
export function place(sensor: string): Placement {
  // A counter such as the uptime says nothing as a line, so it is given no rule; `_`, `-` and `.` all part words.
  const words = sensor.toLowerCase().replace(/[^a-z0-9]+/g, ' ');
  for (const { pattern, ...placement } of kRules) {
    if (pattern.test(words)) return placement;
  }
  return { card: `sensor:${sensor}`, title: sensor, line: '', rank: kOwnCardRank, unit: '' };
}

/** A clock that only counts up: shown as a figure, not as a line. */
export function isUptime(sensor: string): boolean {
  return /(^|[^a-z])uptime/.test(sensor.toLowerCase());
}
