// All cards of the page: sorts readings into them and draws the changed ones, at most once a frame.

import { Chart } from './chart';
import { formatDuration } from './format';
import type { Reading } from './reading';
import { isUptime, place } from './sensors';
import type { Series } from './series';

/** Sensors with a line. Whoever publishes chooses the names, so the page must have a bound of its own. */
export const kSensorsMax = 48;

export class Board {
  /** Human text of the newest uptime reading; empty until one came. */
  uptime = '';
  /** Readings of sensors beyond the bound. */
  undrawn = 0;
  private readonly series = new Map<string, { series: Series; chart: Chart }>();
  private readonly charts = new Map<string, { chart: Chart; rank: number }>();
  private readonly resizer = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      for (const { chart } of this.charts.values()) {
        if (chart.element.contains(target)) chart.resize(contentRect.width);
      }
    }
  });

  constructor(private readonly root: HTMLElement) {}

  get sensors(): number {
    return this.series.size;
  }

  /** `now` is the local clock, ms. */
  add(reading: Reading, now: number): void {
    if (isUptime(reading.sensor)) {
      this.uptime = formatDuration(reading.value);
      return;
    }
    const known = this.series.get(reading.sensor) ?? this.create(reading);
    if (known === null) {
      this.undrawn++;
      return;
    }
    if (known.series.push(reading.at / 1000, reading.value)) known.chart.touch(now);
  }

  /** Draws what changed. Call it from an animation frame. */
  draw(now: number): void {
    for (const { chart } of this.charts.values()) chart.draw(now);
  }

  /** After the colour scheme changed. */
  redrawAll(now: number): void {
    for (const { chart } of this.charts.values()) chart.forget();
    this.draw(now);
  }

  /** After events may have been missed: no line claims to know what happened meanwhile. */
  breakLines(): void {
    for (const { series } of this.series.values()) series.breakLine();
  }

  private create(reading: Reading): { series: Series; chart: Chart } | null {
    if (this.series.size >= kSensorsMax) return null;
    let placement = place(reading.sensor);
    let card = this.charts.get(placement.card);
    if (card?.chart.full) {
      placement = { ...placement, card: `sensor:${reading.sensor}`, title: reading.sensor, line: '' };
      card = this.charts.get(placement.card);
    }
    if (!card) {
      card = { chart: new Chart(placement), rank: placement.rank };
      this.insert(card.chart, placement.rank);
      this.charts.set(placement.card, card);
    }
    const entry = { series: card.chart.addLine(reading.sensor, placement.line, reading.unit), chart: card.chart };
    this.series.set(reading.sensor, entry);
    return entry;
  }

  private insert(chart: Chart, rank: number): void {
    const after = [...this.charts.values()]
      .filter((other) => other.rank > rank)
      .sort((a, b) => a.rank - b.rank)[0];
    this.root.insertBefore(chart.element, after?.chart.element ?? null);
    this.resizer.observe(chart.element.querySelector('.plot')!);
  }
}
