// Numbers and times for people, and table rows.

const kWhole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function whole(value: number): string {
  return kWhole.format(value);
}

export function fixed(value: number, decimals: number): string {
  return value.toFixed(decimals);
}

export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB');
}

/** A row of text cells. */
export function row(...cells: string[]): HTMLTableRowElement {
  const line = document.createElement('tr');
  for (const text of cells) line.insertCell().textContent = text;
  return line;
}

/** A colour of kit.css, as it is in the present scheme. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
