// One card: a title, the newest figures, and a line for each of its sensors. Draws only when told to.

import uPlot from 'uplot';

import { formatClock, formatTick, formatValue, isByteRate } from './format';
import type { Placement } from './sensors';
import { Series } from './series';

/** Seconds that the picture spans once there is enough history. */
const kSpan = 120;
const kSpanMin = 30;
const kQuietMs = 1000;
// What uPlot.join does with nulls, by its own numbers.
const kNullRetain = 1;
const kNullExpand = 2;
const kHeight = 132;
/** Lines in one chart: more could not be told apart. Sensors beyond are given cards of their own by the caller. */
export const kLinesMax = 4;

interface Line {
  sensor: string;
  label: string;
  series: Series;
  figure: HTMLElement;
  unitText: HTMLElement;
}

export class Chart {
  readonly element: HTMLElement;
  private dirty = false;
  /** Local clock when the newest point came, ms; and when the picture was last drawn. */
  private touchedAt = 0;
  private drawnAt = 0;
  private readonly figures: HTMLElement;
  private readonly frame: HTMLElement;
  private readonly lines: Line[] = [];
  private plot: uPlot | null = null;
  private unit: string;
  private width = 0;
  /** Right edge of the picture, seconds. */
  private edge = 0;

  constructor(private readonly placement: Placement) {
    this.unit = placement.unit;
    this.element = document.createElement('article');
    this.element.className = 'card';
    this.element.dataset['card'] = placement.card;
    const head = this.element.appendChild(document.createElement('header'));
    const title = head.appendChild(document.createElement('h2'));
    title.textContent = placement.title;
    this.figures = head.appendChild(document.createElement('div'));
    this.figures.className = 'figures';
    this.frame = this.element.appendChild(document.createElement('div'));
    this.frame.className = 'plot';
    this.frame.setAttribute('aria-hidden', 'true');
  }

  get full(): boolean {
    return this.lines.length >= kLinesMax;
  }

  /** A new line, whose points the caller pushes into the returned series. */
  addLine(sensor: string, label: string, unit: string): Series {
    if (unit !== '') this.unit = unit;
    const taken = this.lines.some((line) => line.label === label);
    const box = this.figures.appendChild(document.createElement('p'));
    box.className = `figure line-${this.lines.length}`;
    const name = box.appendChild(document.createElement('span'));
    name.className = 'name';
    name.textContent = taken ? sensor : label;
    const figure = box.appendChild(document.createElement('b'));
    const unitText = box.appendChild(document.createElement('small'));
    const line = { sensor, label, series: new Series(), figure, unitText };
    this.lines.push(line);
    this.forget();
    return line.series;
  }

  /** One of the lines has a new point, at local time `now` (ms). */
  touch(now: number): void {
    this.dirty = true;
    this.touchedAt = now;
  }

  /**
   * Brings figures and picture up to the newest points. Costs nothing while the card is clean, but for one drawing a
   * second, which moves a line that has gone quiet to the left as its neighbours move.
   */
  draw(now: number): void {
    if (!this.dirty && now - this.drawnAt < kQuietMs) return;
    this.dirty = false;
    this.drawnAt = now;
    this.showFigures(null);
    const last = Math.max(...this.lines.map((line) => line.series.lastTime).filter((time) => !Number.isNaN(time)));
    if (!Number.isFinite(last)) return;
    // By elapsed time and not by the clock, which need not be that of the sensor's host.
    const quiet = now - this.touchedAt;
    this.edge = last + (quiet >= kQuietMs ? quiet / 1000 : 0);
    const data = this.collect(this.edge - kSpan);
    this.plot ??= this.build(data);
    this.plot.setData(data);
  }

  resize(width: number): void {
    if (width <= 0 || Math.abs(width - this.width) < 1) return;
    this.width = width;
    this.plot?.setSize({ width, height: kHeight });
  }

  /** Throws the picture away, so that the next draw builds it anew (another line, other colours). */
  forget(): void {
    this.plot?.destroy();
    this.plot = null;
    this.dirty = true;
  }

  private collect(since: number): uPlot.AlignedData {
    const tables = this.lines.map((line) => line.series.window(since) as uPlot.AlignedData);
    if (tables.length === 1) return tables[0]!;
    // A break must reach to the neighbouring points, also past the times at which only the other lines have one.
    return uPlot.join(tables, tables.map(() => [kNullRetain, kNullExpand]));
  }

  private showFigures(index: number | null): void {
    this.lines.forEach((line, i) => {
      const pointed = index === null ? null : this.plot?.data[i + 1]?.[index];
      const [text, unit] = formatValue(pointed ?? line.series.lastValue, this.unit);
      line.figure.textContent = text;
      line.unitText.textContent = unit;
    });
  }

  private xRange(first: number): [number, number] {
    return [Math.min(Math.max(first, this.edge - kSpan), this.edge - kSpanMin), this.edge];
  }

  private yRange(min: number, max: number): [number, number] {
    if (this.unit === '%' && min >= 0 && max <= 100) return [0, Math.min(100, Math.max(10, niceCeiling(max * 1.1)))];
    const floor = isByteRate(this.unit) ? 1000 : this.placement.card === 'load' ? 1 : 0;
    if (min >= 0 && (min < max / 2 || floor > 0)) return [0, niceCeiling(Math.max(max * 1.1, floor)) || 1];
    const pad = (max - min || Math.abs(max) || 1) * 0.15;
    return [min - pad, max + pad];
  }

  private build(data: uPlot.AlignedData): uPlot {
    const colors = getComputedStyle(document.documentElement);
    const color = (name: string) => colors.getPropertyValue(name).trim();
    const font = `11px ${color('--font')}`;
    const base = this.placement.rank;
    const axis = { stroke: color('--faint'), font, ticks: { show: false }, gap: 6 };
    this.width = this.frame.clientWidth || 320;
    const options: uPlot.Options = {
      width: this.width,
      height: kHeight,
      padding: [8, 4, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { size: 7 },
        sync: { key: 'live' },
      },
      scales: {
        x: { time: true, range: (_, min) => this.xRange(min) },
        y: { range: (_, min, max) => this.yRange(min ?? 0, max ?? 0) },
      },
      axes: [
        { ...axis, size: 24, space: 90, grid: { show: false }, values: clockLabels },
        {
          ...axis,
          size: 50,
          space: 28,
          grid: { stroke: color('--grid'), width: 1 },
          values: (_, splits) => splits.map((s) => formatTick(s, this.unit)),
        },
      ],
      series: [
        {},
        ...this.lines.map((line, i) => {
          const stroke = color(`--line-${(base + i * 3) % 6}`);
          this.element.style.setProperty(`--figure-${i}`, stroke);
          return {
            label: line.sensor,
            stroke,
            width: 1.75,
            points: { size: 6, fill: stroke },
            ...(i === 0 ? { fill: `${stroke}1f` } : {}),
          };
        }),
      ],
      hooks: { setCursor: [(plot) => this.showFigures(plot.cursor.idx ?? null)] },
    };
    return new uPlot(options, data, this.frame);
  }
}

/** A label that the right edge would cut is left out: it comes into view soon enough. */
function clockLabels(plot: uPlot, splits: number[]): string[] {
  const room = plot.bbox.width / devicePixelRatio - 26;
  return splits.map((split) => (plot.valToPos(split, 'x') > room ? '' : formatClock(split * 1000)));
}

/** The next of 1, 1.5, 2, 3, 4, 5, 6, 8, 10 × a power of ten: coarse steps keep the scale from moving with every point. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((s) => s * power >= value * 0.999999) ?? 10;
  return step * power;
}
