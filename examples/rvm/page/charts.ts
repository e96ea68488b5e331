// The two charts: plain elements and SVG, with the figures as text for those who do not see them.
import { element } from '../../common/page/kit.ts';
import { kStatuses, kTones, type Dashboard, type Status } from './types.ts';

const kSvg = 'http://www.w3.org/2000/svg';
const kHourMs = 3_600_000;
const kHours = 24;
const kWidth = 360;
const kHeight = 160;
const kFoot = 16;
const kHead = 14;

/** One bar for each status, as long as its share of the machines. */
export function drawStatuses(counts: Record<Status, number>): void {
  const box = element('statuses');
  const all = Math.max(1, Object.values(counts).reduce((sum, count) => sum + count, 0));
  if (!box.firstChild) kStatuses.forEach((status) => box.append(barRow(status)));
  kStatuses.forEach((status, index) => {
    const row = box.children[index] as HTMLElement;
    row.querySelector('i')!.style.width = `${(counts[status] / all) * 100}%`;
    row.lastElementChild!.textContent = String(counts[status]);
  });
  box.setAttribute('aria-label', kStatuses.map((status) => `${counts[status]} ${status}`).join(', '));
}

function barRow(status: Status): HTMLElement {
  const row = document.createElement('div');
  row.className = 'bar-row';
  row.dataset.status = status;
  const name = document.createElement('span');
  name.textContent = status;
  const track = document.createElement('span');
  track.className = 'track';
  const bar = document.createElement('i');
  bar.className = kTones[status];
  track.append(bar);
  const count = document.createElement('span');
  count.className = 'number';
  row.append(name, track, count);
  return row;
}

function svg(kind: string, attributes: Record<string, string | number>, text = ''): SVGElement {
  const made = document.createElementNS(kSvg, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.textContent = text;
  return made;
}

/** One bar for each of the last 24 hours; hours in which nothing came have none. */
export function drawHours(hours: Dashboard['hours'], now: number): void {
  const items = new Map(hours.map(({ hour, items: count }) => [Date.parse(hour), count]));
  const last = now - (now % kHourMs);
  const starts = Array.from({ length: kHours }, (_, index) => last - (kHours - 1 - index) * kHourMs);
  const most = Math.max(1, ...starts.map((start) => items.get(start) ?? 0));
  const step = kWidth / kHours;
  const floor = kHeight - kFoot;
  const picture = svg('svg', { viewBox: `0 0 ${kWidth} ${kHeight}`, class: 'hours', 'aria-hidden': 'true' });
  picture.append(
    svg('line', { x1: 0, x2: kWidth, y1: kHead, y2: kHead }),
    svg('line', { x1: 0, x2: kWidth, y1: floor, y2: floor }),
    svg('text', { x: 0, y: kHead - 4 }, most.toLocaleString('en')),
  );
  starts.forEach((start, index) => {
    const height = ((items.get(start) ?? 0) / most) * (floor - kHead);
    const bar = svg('rect', { x: index * step + 2, y: floor - height, width: step - 4, height, rx: 2 });
    bar.append(svg('title', {}, `${hourText(start)}: ${items.get(start) ?? 0}`));
    picture.append(bar);
    const label = { x: index * step + step / 2, y: kHeight - 4, 'text-anchor': 'middle' };
    if (index % 4 === 1) picture.append(svg('text', label, hourText(start)));
  });
  const box = element('hours');
  box.replaceChildren(picture);
  box.setAttribute('aria-label', `${items.get(last) ?? 0} items in this hour, ${most} in the busiest of the last ${kHours}`);
}

function hourText(time: number): string {
  return new Date(time).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}
