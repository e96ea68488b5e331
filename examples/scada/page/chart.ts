// The live chart of one sensor: its history first, folded by the server, then what is live, folded the same way, in a
// LiveSeries of a thousand points that is drawn on animation frames.
import { LiveSeries } from 'kilat-js';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { element, request } from '../../common/page/kit';
import { clock, color, fixed, whole } from './format';
import type { SensorInfo } from './types';

export type Range = 'live' | '15m' | '1h' | '24h';

/** Points of a series. */
export const kCapacity = 1000;
/** As the program folds them. */
const kStepMs: Record<Range, number> = { live: 100, '15m': 1000, '1h': 4000, '24h': 90_000 };
const kSpanMs: Record<Range, number> = { live: 100_000, '15m': 900_000, '1h': 3_600_000, '24h': 86_400_000 };
/** Live points that wait while history is fetched. */
const kWaitingMax = 5000;

export class Chart {
  #sensor: SensorInfo;
  #range: Range = 'live';
  #series: LiveSeries;
  #plot: uPlot;
  /** Live points that came while history is on its way; null when it is there. */
  #waiting: [number, number][] | null = null;
  #load = 0;

  constructor(sensor: SensorInfo) {
    this.#sensor = sensor;
    this.#series = this.#makeSeries();
    this.#plot = this.#makePlot();
    new ResizeObserver(() => this.#plot.setSize(size())).observe(element('chart'));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#restart());
  }

  get sensor(): SensorInfo {
    return this.#sensor;
  }

  get series(): LiveSeries {
    return this.#series;
  }

  get range(): Range {
    return this.#range;
  }

  show(sensor: SensorInfo, range: Range): void {
    this.#sensor = sensor;
    this.#range = range;
    this.#series.stop();
    this.#series = this.#makeSeries();
    this.#restart();
    void this.reload();
  }

  /** A live point; `time` in milliseconds. */
  push(sensor: string, value: number, time: number): void {
    if (sensor !== this.#sensor.name) return;
    element('value').textContent = `${fixed(value, this.#sensor.decimals)} ${this.#sensor.unit}`;
    if (!this.#waiting) this.#series.push(sensor, value, time);
    else if (this.#waiting.length < kWaitingMax) this.#waiting.push([value, time]);
  }

  /**
   * Fetches the history of the range. Call it once the live channel is subscribed: all that was published before is
   * stored, and what comes from then on waits here, so nothing is missing between the two.
   */
  async reload(): Promise<void> {
    const load = ++this.#load;
    const { name } = this.#sensor;
    this.#waiting ??= [];
    let note = '';
    try {
      const query = new URLSearchParams({ sensor: name, range: this.#range });
      const { points } = await request<{ points: [number, number, number, number, number][] }>(`/api/readings?${query}`);
      if (load !== this.#load) return;
      this.#series.clear();
      for (const [time, average] of points) this.#series.push(name, average, time);
      const readings = points.reduce((sum, point) => sum + point[4], 0);
      note = `${whole(readings)} stored readings as ${whole(points.length)} averages of ${kStepMs[this.#range] / 1000} s, then live`;
    } catch (error) {
      if (load !== this.#load) return;
      note = `no history: ${(error as Error).message}`;
    }
    for (const [value, time] of this.#waiting ?? []) this.#series.push(name, value, time);
    this.#waiting = null;
    element('chart-note').textContent = note;
  }

  #makeSeries(): LiveSeries {
    return new LiveSeries({
      capacity: kCapacity,
      seriesMax: 1,
      fold: 'average',
      intervalMs: kStepMs[this.#range],
      draw: (_, series) => this.#draw(series),
    });
  }

  #draw(series: LiveSeries): void {
    const { times, values } = series.points(this.#sensor.name);
    this.#plot.setData([times.map((time) => time / 1000), values]);
  }

  #restart(): void {
    this.#plot.destroy();
    this.#plot = this.#makePlot();
    this.#draw(this.#series);
  }

  #makePlot(): uPlot {
    const axis = { stroke: color('soft'), grid: { stroke: color('grid') }, ticks: { stroke: color('grid') } };
    const { unit } = this.#sensor;
    const span = kSpanMs[this.#range] / 1000;
    return new uPlot(
      {
        ...size(),
        cursor: { y: false },
        legend: { show: false },
        scales: { x: { range: (_, low, high) => around(low, high, span) } },
        axes: [{ ...axis, space: 90, values: (_, ticks) => ticks.map((tick) => clock(tick * 1000)) }, { ...axis, size: 70, values: (_, ticks) => ticks.map((tick) => `${tick} ${unit}`) }],
        series: [{}, { stroke: color('accent'), width: 1.5, points: { show: false } }],
      },
      [[], []],
      element('chart'),
    );
  }
}

/** The times to show, in seconds: the whole range, also while there is little to show, or nothing. */
function around(low: number | null, high: number | null, span: number): [number, number] {
  const end = high ?? Date.now() / 1000;
  return [Math.min(low ?? end, end - span), end];
}

function size(): { width: number; height: number } {
  const { clientWidth, clientHeight } = element('chart');
  return { width: clientWidth, height: clientHeight };
}
