// Windowed figures: each sensor's of the last batch, the aggregated stream of the chosen one, and the list of batches.
import { element } from '../../common/page/kit';
import { clock, fixed, row, whole } from './format';
import type { Figures, FiguresEvent, SensorInfo } from './types';

const kBatches = 30;
const kWindows = 6;

function cells(figures: Figures, decimals: number): string[] {
  return [
    whole(figures.count), fixed(figures.average, decimals), fixed(figures.min, decimals), fixed(figures.max, decimals),
  ];
}

function readingsOf({ data }: FiguresEvent): number {
  return Object.values(data).reduce((sum, { count }) => sum + count, 0);
}

/** Puts a row on top, and takes away what is too much. */
function prepend(body: HTMLElement, line: HTMLTableRowElement, most: number): void {
  body.prepend(line);
  while (body.childElementCount > most) body.lastElementChild?.remove();
}

export class WindowTables {
  #shown: SensorInfo[] = [];
  #last: FiguresEvent | null = null;
  #chosen: SensorInfo | null = null;
  #aggregated = 0;
  #dirty = false;
  readonly #windows: [string, Figures][] = [];
  #newest: FiguresEvent | null = null;

  constructor() {
    setInterval(() => this.#second(), 1000);
  }

  /** Whose figures the table has. */
  showSensors(sensors: SensorInfo[]): void {
    this.#shown = sensors;
    this.#drawFigures();
  }

  choose(sensor: SensorInfo): void {
    this.#chosen = sensor;
    this.#windows.length = 0;
    element('aggregated-note').textContent = `of ${sensor.name}, in ${sensor.unit || 'its own unit'}`;
    this.#drawWindows();
  }

  onBatch(batch: FiguresEvent): void {
    this.#last = batch;
    const line = row(clock(Date.parse(batch.timestamp)), '', whole(Object.keys(batch.data).length), whole(readingsOf(batch)));
    const id = document.createElement('code');
    // The first half is the same for all of one run.
    id.textContent = `…${batch.batchId.slice(-8)}`;
    id.title = batch.batchId;
    line.cells[1]?.append(id);
    prepend(element('batches'), line, kBatches);
    this.#drawFigures();
  }

  onAggregated(event: FiguresEvent): void {
    this.#aggregated++;
    this.#newest = event;
    const figures = this.#chosen ? event.data[this.#chosen.name] : undefined;
    if (!figures) return;
    this.#windows.unshift([event.timestamp, figures]);
    this.#windows.length = Math.min(this.#windows.length, kWindows);
    if (this.#dirty) return;
    this.#dirty = true;
    requestAnimationFrame(() => this.#drawWindows());
  }

  #drawFigures(): void {
    const lines = this.#shown.flatMap((sensor) => {
      const figures = this.#last?.data[sensor.name];
      return figures ? [row(sensor.name, ...cells(figures, sensor.decimals))] : [];
    });
    element('figures').replaceChildren(...lines);
  }

  #drawWindows(): void {
    this.#dirty = false;
    const decimals = this.#chosen?.decimals ?? 2;
    const lines = this.#windows.map(([time, figures]) => row(time.slice(14, 23), ...cells(figures, decimals)));
    element('aggregated').replaceChildren(...lines);
  }

  #second(): void {
    element('aggregated-rate').textContent = whole(this.#aggregated);
    this.#aggregated = 0;
    if (!this.#newest) return;
    element('aggregated-sensors').textContent = whole(Object.keys(this.#newest.data).length);
    element('aggregated-readings').textContent = whole(readingsOf(this.#newest));
  }
}
