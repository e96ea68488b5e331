// Small multiples: a line and the newest value for each sensor of the chosen kind.
import { LiveSeries } from 'kilat-js';

import { element } from '../../common/page/kit';
import { fixed } from './format';
import { drawLine } from './line';
import type { SensorInfo } from './types';

const kPoints = 120;
const kSensorsMax = 400;
const kShownMax = 60;
const kTileEveryMs = 400;
const kTilesOfAFrame = 6;
/** Drawn a little before they are seen. */
const kNear = '800px';

interface Tile {
  button: HTMLButtonElement;
  value: HTMLElement;
  canvas: HTMLCanvasElement;
  info: SensorInfo;
  seen: boolean;
  drawnAt: number;
}

export class Multiples {
  readonly #series: LiveSeries;
  readonly #tiles = new Map<string, Tile>();
  readonly #alarms = new Set<string>();
  readonly #observer = new IntersectionObserver((entries) => this.#onSeen(entries), { rootMargin: kNear });
  #chosen = '';

  /** `choose` is called with the sensor of a tile that was clicked. */
  constructor(readonly choose: (sensor: SensorInfo) => void) {
    this.#series = new LiveSeries({
      capacity: kPoints,
      seriesMax: kSensorsMax,
      draw: (changed) => this.#drawSome(changed),
    });
  }

  get series(): LiveSeries {
    return this.#series;
  }

  push(sensor: string, value: number, time: number): void {
    this.#series.push(sensor, value, time);
  }

  show(sensors: SensorInfo[]): void {
    this.#tiles.clear();
    this.#observer.disconnect();
    const box = element('multiples');
    box.replaceChildren();
    for (const info of sensors.slice(0, kShownMax)) {
      const tile = makeTile(info);
      tile.button.addEventListener('click', () => this.choose(info));
      box.append(tile.button);
      this.#observer.observe(tile.button);
      this.#tiles.set(info.name, tile);
      this.#draw(info.name);
    }
    this.#mark();
  }

  mark(chosen: string): void {
    this.#chosen = chosen;
    this.#mark();
  }

  setAlarm(sensor: string, on: boolean): void {
    if (on) this.#alarms.add(sensor);
    else this.#alarms.delete(sensor);
    this.#mark();
  }

  #mark(): void {
    for (const [name, { button }] of this.#tiles) {
      button.setAttribute('aria-pressed', String(name === this.#chosen));
      button.classList.toggle('alarm', this.#alarms.has(name));
    }
  }

  #onSeen(entries: IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const name = (target as HTMLElement).dataset.sensor ?? '';
      const tile = this.#tiles.get(name);
      if (!tile) continue;
      tile.seen = isIntersecting;
      if (isIntersecting) this.#draw(name);
    }
  }

  /** Each of the tiles that are seen at most so often, a few in each frame: sixty canvases at once would cost frames. */
  #drawSome(changed: ReadonlySet<string>): void {
    const now = performance.now();
    let drawn = 0;
    for (const name of changed) {
      const tile = this.#tiles.get(name);
      if (!tile?.seen || now - tile.drawnAt < kTileEveryMs || drawn >= kTilesOfAFrame) continue;
      tile.drawnAt = now;
      drawn++;
      this.#draw(name);
    }
  }

  #draw(name: string): void {
    const tile = this.#tiles.get(name);
    if (!tile) return;
    const { values } = this.#series.points(name);
    const newest = values.at(-1);
    if (newest !== undefined) tile.value.textContent = `${fixed(newest, tile.info.decimals)} ${tile.info.unit}`;
    drawLine(tile.canvas, values, this.#alarms.has(name) ? 'bad' : 'accent');
  }
}

function makeTile(info: SensorInfo): Tile {
  const button = document.createElement('button');
  button.className = 'multiple';
  button.dataset.sensor = info.name;
  const line = document.createElement('span');
  const name = document.createElement('b');
  name.textContent = info.name;
  const value = document.createElement('span');
  value.textContent = '–';
  line.append(name, value);
  const canvas = document.createElement('canvas');
  button.append(line, canvas);
  return { button, value, canvas, info, seen: true, drawnAt: 0 };
}
