// Points for live charts: takes readings as fast as they come, keeps a bounded number of points for each series, folds
// them if asked, and has them drawn at most once an animation frame.
//
// Owner: the page; one for each chart or group of charts, until stop(). Bounded by `capacity` × `seriesMax` points.
import { pageFrames, type Frames } from './frames.js';
import { Ring } from './ring.js';

export type { Frames };

/** What becomes of the readings of one series within one interval. */
export type Fold = 'none' | 'last' | 'average' | 'min' | 'max';

export interface LiveSeriesOptions {
  /**
   * Draws. Called once a frame at most, only when something has changed and the page is seen, with the names of the
   * series that have changed.
   */
  draw?: (changed: ReadonlySet<string>, series: LiveSeries) => void;
  /** Points kept for each series, at least 1; 1000 when left out. */
  capacity?: number;
  /** Series kept; readings of further ones are dropped. 100 when left out. */
  seriesMax?: number;
  /** One for all, or one by name; "none" when left out: every reading is a point. */
  fold?: Fold | ((series: string) => Fold);
  /** Length of a fold's interval in milliseconds; 1000 when left out. */
  intervalMs?: number;
  /** The time of readings that come without one, in milliseconds; `Date.now` when left out. */
  now?: () => number;
  frames?: Frames;
}

/** Counted since the start; times are in milliseconds. */
export interface LiveSeriesMetrics {
  /** Readings that were offered. */
  updates: number;
  /** Points held now, of all series. */
  points: number;
  /** Readings refused: no number, older than the series' newest interval or point, or of one series too many. */
  dropped: number;
  /** Points that made room for newer ones. */
  evicted: number;
  renders: number;
  renderLastMs: number;
  renderAverageMs: number;
  renderMaxMs: number;
}

/** The interval that a series is in, and what came in it. */
interface Bucket {
  start: number;
  count: number;
  sum: number;
  min: number;
  max: number;
}

interface Entry {
  ring: Ring;
  fold: Fold;
  bucket: Bucket | null;
}

/** See the head of this file. Nothing here is asynchronous but the drawing. */
export class LiveSeries {
  readonly #options: LiveSeriesOptions;
  readonly #capacity: number;
  readonly #seriesMax: number;
  readonly #intervalMs: number;
  readonly #frames: Frames;
  readonly #entries = new Map<string, Entry>();
  #changed = new Set<string>();
  #frame: { handle: unknown } | null = null;
  #stopped = false;
  readonly #stopWatching: () => void;
  #updates = 0;
  #dropped = 0;
  #evicted = 0;
  #renders = 0;
  #renderLastMs = 0;
  #renderSumMs = 0;
  #renderMaxMs = 0;

  /** @throws RangeError for a capacity, number of series or interval that is not at least 1. */
  constructor(options: LiveSeriesOptions = {}) {
    const { capacity = 1000, seriesMax = 100, intervalMs = 1000 } = options;
    for (const [name, value] of Object.entries({ capacity, seriesMax, intervalMs })) {
      if (!(value >= 1)) throw new RangeError(`${name} must be at least 1`);
    }
    this.#options = options;
    this.#capacity = Math.floor(capacity);
    this.#seriesMax = Math.floor(seriesMax);
    this.#intervalMs = intervalMs;
    this.#frames = options.frames ?? pageFrames();
    this.#stopWatching = this.#frames.onShown(() => this.#drawSoon());
  }

  /** Takes one reading; `time` is in milliseconds since 1970. False when it was dropped. */
  push(series: string, value: number, time: number = (this.#options.now ?? Date.now)()): boolean {
    this.#updates++;
    const entry = Number.isFinite(value) && Number.isFinite(time) ? this.#entryOf(series) : null;
    if (!entry || !this.#add(entry, value, time)) {
      this.#dropped++;
      return false;
    }
    this.#changed.add(series);
    this.#drawSoon();
    return true;
  }

  /** The names of all series, in the order in which they came. */
  names(): string[] {
    return [...this.#entries.keys()];
  }

  /** Copies of the points of one series, the oldest first; of an unknown one there are none. */
  points(series: string): { times: number[]; values: number[] } {
    return this.#entries.get(series)?.ring.read() ?? { times: [], values: [] };
  }

  /** Forgets the points of one series, or of all. */
  clear(series?: string): void {
    for (const name of series === undefined ? this.names() : [series]) {
      if (this.#entries.delete(name)) this.#changed.add(name);
    }
    this.#drawSoon();
  }

  metrics(): LiveSeriesMetrics {
    let points = 0;
    for (const { ring } of this.#entries.values()) points += ring.length;
    return {
      updates: this.#updates,
      points,
      dropped: this.#dropped,
      evicted: this.#evicted,
      renders: this.#renders,
      renderLastMs: this.#renderLastMs,
      renderAverageMs: this.#renders === 0 ? 0 : this.#renderSumMs / this.#renders,
      renderMaxMs: this.#renderMaxMs,
    };
  }

  /** Draws no more; the points stay readable. */
  stop(): void {
    this.#stopped = true;
    this.#stopWatching();
    if (this.#frame) this.#frames.cancel(this.#frame.handle);
    this.#frame = null;
  }

  #entryOf(series: string): Entry | null {
    let entry = this.#entries.get(series);
    if (entry) return entry;
    if (this.#entries.size >= this.#seriesMax) return null;
    const { fold = 'none' } = this.#options;
    entry = { ring: new Ring(this.#capacity), fold: typeof fold === 'function' ? fold(series) : fold, bucket: null };
    this.#entries.set(series, entry);
    return entry;
  }

  #add(entry: Entry, value: number, time: number): boolean {
    const { ring } = entry;
    if (entry.fold === 'none') {
      if (time < ring.lastTime) return false;
      if (ring.push(time, value)) this.#evicted++;
      return true;
    }
    const start = Math.floor(time / this.#intervalMs) * this.#intervalMs;
    const { bucket } = entry;
    if (bucket && start < bucket.start) return false;
    if (bucket && start === bucket.start) {
      bucket.count++;
      bucket.sum += value;
      bucket.min = Math.min(bucket.min, value);
      bucket.max = Math.max(bucket.max, value);
      ring.replaceLast(folded(entry.fold, bucket, value));
      return true;
    }
    entry.bucket = { start, count: 1, sum: value, min: value, max: value };
    if (ring.push(start, value)) this.#evicted++;
    return true;
  }

  #drawSoon(): void {
    if (this.#stopped || this.#frame || !this.#options.draw) return;
    if (this.#changed.size === 0 || this.#frames.hidden()) return;
    // Made before the request, in case that one calls back at once.
    const frame: { handle: unknown } = { handle: null };
    this.#frame = frame;
    frame.handle = this.#frames.request(() => this.#draw());
  }

  #draw(): void {
    this.#frame = null;
    if (this.#stopped || this.#frames.hidden()) return;
    const changed = this.#changed;
    this.#changed = new Set();
    const before = this.#frames.now();
    try {
      this.#options.draw?.(changed, this);
    } finally {
      const took = this.#frames.now() - before;
      this.#renders++;
      this.#renderLastMs = took;
      this.#renderSumMs += took;
      this.#renderMaxMs = Math.max(this.#renderMaxMs, took);
    }
  }
}

function folded(fold: Fold, bucket: Bucket, value: number): number {
  switch (fold) {
    case 'average':
      return bucket.sum / bucket.count;
    case 'min':
      return bucket.min;
    case 'max':
      return bucket.max;
    default:
      return value;
  }
}
