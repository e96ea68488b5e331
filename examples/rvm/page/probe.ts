// How fast the page is, for whoever measures it: `__rvm` of the window. Bounded.
import type { Change } from './types.ts';

const kSamplesMax = 1000;

/** One event: when the status changed, when its event was here, when the frame that shows it was drawn (ms since 1970). */
export interface Sample {
  change_id: number;
  channel: string;
  sentAt: number;
  receivedAt: number;
  drawnAt: number | null;
}

export class Probe {
  connectMs: number | null = null;
  /** Joined the private channel. */
  staff = false;
  dashboards = 0;
  readonly samples: Sample[] = [];

  saw(channel: string, change: Change): void {
    const receivedAt = performance.timeOrigin + performance.now();
    const sentAt = Date.parse(change.updated_at);
    const sample: Sample = { change_id: change.change_id, channel, sentAt, receivedAt, drawnAt: null };
    this.samples.push(sample);
    if (this.samples.length > kSamplesMax) this.samples.shift();
    requestAnimationFrame(() => {
      // A task after the frame's own work: by then it is painted.
      setTimeout(() => {
        sample.drawnAt = performance.timeOrigin + performance.now();
      });
    });
  }
}

declare global {
  interface Window {
    __rvm: Probe;
  }
}

export const probe = new Probe();
window.__rvm = probe;
