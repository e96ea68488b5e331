// Points of one series in the order of time, the newest ones only.

/** A bounded list of (time, value); a full one loses its oldest point for each new one. */
export class Ring {
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  #first = 0;
  #length = 0;

  /** Room for `capacity` points, at least one. */
  constructor(capacity: number) {
    this.#times = new Float64Array(capacity);
    this.#values = new Float64Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** The time of the newest point; -Infinity when there is none. */
  get lastTime(): number {
    return this.#length === 0 ? -Infinity : this.#times[this.#at(this.#length - 1)]!;
  }

  /** Adds a point at the end; true when the oldest one had to go. */
  push(time: number, value: number): boolean {
    const full = this.#length === this.#times.length;
    if (full) this.#first = this.#at(1);
    else this.#length++;
    const at = this.#at(this.#length - 1);
    this.#times[at] = time;
    this.#values[at] = value;
    return full;
  }

  /** Gives the newest point another value. */
  replaceLast(value: number): void {
    this.#values[this.#at(this.#length - 1)] = value;
  }

  /** Copies of all points, the oldest first. */
  read(): { times: number[]; values: number[] } {
    const times = new Array<number>(this.#length);
    const values = new Array<number>(this.#length);
    for (let i = 0; i < this.#length; i++) {
      times[i] = this.#times[this.#at(i)]!;
      values[i] = this.#values[this.#at(i)]!;
    }
    return { times, values };
  }

  #at(index: number): number {
    return (this.#first + index) % this.#times.length;
  }
}
