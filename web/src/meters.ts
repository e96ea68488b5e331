// The page's own figures: how fast events come, and how long one takes from its publisher to the screen.

const kRateBuckets = 5;

/** Events per second over the last five seconds, in buckets of one second: constant memory at any rate. */
export class RateMeter {
  private readonly counts = new Array<number>(kRateBuckets).fill(0);
  private readonly seconds = new Array<number>(kRateBuckets).fill(-1);
  private firstAt: number | null = null;

  add(now: number): void {
    const second = Math.floor(now / 1000);
    const slot = second % kRateBuckets;
    if (this.seconds[slot] !== second) {
      this.seconds[slot] = second;
      this.counts[slot] = 0;
    }
    this.counts[slot]!++;
    this.firstAt ??= now;
  }

  perSecond(now: number): number {
    if (this.firstAt === null) return 0;
    const second = Math.floor(now / 1000);
    let sum = 0;
    for (let i = 0; i < kRateBuckets; i++) {
      if (this.seconds[i]! > second - kRateBuckets) sum += this.counts[i]!;
    }
    // The newest bucket is not over yet, and in the first seconds there is no full window to divide by.
    const window = Math.min(kRateBuckets - 1 + (now % 1000) / 1000, (now - this.firstAt) / 1000);
    return sum / Math.max(1, window);
  }
}

const kDelaysKept = 50;

/** Median of the last fifty delays in ms. */
export class DelayMeter {
  private readonly delays: number[] = [];
  private next = 0;

  add(ms: number): void {
    this.delays[this.next] = ms;
    this.next = (this.next + 1) % kDelaysKept;
  }

  median(): number | null {
    if (this.delays.length === 0) return null;
    const sorted = [...this.delays].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)]!;
  }
}
