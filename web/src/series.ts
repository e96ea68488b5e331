// The newest points of one sensor in a ring of fixed size, oldest first in time. A break in the line is a point
// without a value (NaN inside, null outside); the newest point always has one.

export const kPointsMax = 1000;

export class Series {
  private readonly times: Float64Array;
  private readonly values: Float64Array;
  private head = 0;
  private count = 0;
  private broken = false;

  constructor(readonly capacity: number = kPointsMax) {
    this.times = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
  }

  get length(): number {
    return this.count;
  }

  /** Time of the newest point in seconds since 1970, NaN while empty. */
  get lastTime(): number {
    return this.count > 0 ? this.times[this.index(this.count - 1)]! : NaN;
  }

  get lastValue(): number {
    return this.count > 0 ? this.values[this.index(this.count - 1)]! : NaN;
  }

  /**
   * A point older than the newest is dropped and a point of the same time replaces it: a line chart needs rising
   * times, and sorting into the ring would cost every point for the sake of a rare one. Returns whether it was kept.
   */
  push(time: number, value: number): boolean {
    if (this.count > 0 && time <= this.lastTime) {
      if (time < this.lastTime) return false;
      this.values[this.index(this.count - 1)] = value;
      return true;
    }
    if (this.broken && this.count > 0) this.append((this.lastTime + time) / 2, NaN);
    this.broken = false;
    this.append(time, value);
    return true;
  }

  /** The next point does not join on to the line: something was missed in between. */
  breakLine(): void {
    this.broken = true;
  }

  /** The points from `since` (seconds) on, and one before it so that the line enters from the left edge. */
  window(since: number): [number[], (number | null)[]] {
    let first = 0;
    while (first + 1 < this.count && this.times[this.index(first + 1)]! <= since) first++;
    const times: number[] = new Array(this.count - first);
    const values: (number | null)[] = new Array(this.count - first);
    for (let i = first; i < this.count; i++) {
      times[i - first] = this.times[this.index(i)]!;
      const value = this.values[this.index(i)]!;
      values[i - first] = Number.isNaN(value) ? null : value;
    }
    return [times, values];
  }

  private index(i: number): number {
    return (this.head + i) % this.capacity;
  }

  private append(time: number, value: number): void {
    if (this.count < this.capacity) this.count++;
    else this.head = (this.head + 1) % this.capacity;
    const slot = this.index(this.count - 1);
    this.times[slot] = time;
    this.values[slot] = value;
  }
}
