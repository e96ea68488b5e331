// The live page: connects, sorts readings into charts, and draws at most once a frame and only what changed.

import 'uplot/dist/uPlot.min.css';
import './live.css';

import { Board } from './board';
import { loadConfig } from './config';
import { Feed, type Phase } from './feed';
import { DelayMeter, RateMeter } from './meters';
import { parseReading } from './reading';
import { View } from './view';

declare global {
  interface Window {
    /** For tests and the curious: what the page knows at this moment. */
    __live: { readonly state: Phase; readonly points: number; readonly lastUpdate: number | null };
  }
}

/** Figures as text change this often at most: faster could not be read. */
const kFiguresEveryMs = 250;

function start(): void {
  const rate = new RateMeter();
  const delay = new DelayMeter();
  let phase: Phase = 'connecting';
  let points = 0;
  let lastUpdate: number | null = null;
  let frameAsked = false;
  let newestPublish: number | null = null;

  const view = new View(() => feed.retryNow());
  const board = new Board(view.charts);

  function draw(): void {
    frameAsked = false;
    board.draw(Date.now());
    const published = newestPublish;
    newestPublish = null;
    // uPlot paints in a microtask of its own, which this one stands behind.
    if (published !== null) queueMicrotask(() => delay.add(Date.now() - published));
  }

  function showFigures(): void {
    const now = Date.now();
    const perSecond = rate.perSecond(now);
    const { sensors, undrawn, uptime } = board;
    view.showFigures(
      { points, sensors, undrawn, perSecond, lastUpdate, delay: delay.median(), uptime },
      now,
    );
  }

  const feed = new Feed(loadConfig, {
    opened: (config) => view.showTryIt(config),
    status: (status) => {
      if (phase === 'connected' && status.phase !== 'connected') board.breakLines();
      phase = status.phase;
      view.showStatus(status, Date.now());
      showFigures();
    },
    event: (payload) => {
      const now = Date.now();
      const reading = parseReading(payload, now);
      if (reading === null) return;
      points++;
      lastUpdate = now;
      rate.add(now);
      board.add(reading, now);
      // A hidden page has no frames: it keeps the points, and a delay until somebody looks would mean nothing.
      newestPublish = document.hidden ? null : reading.publishedAt;
      if (frameAsked) return;
      frameAsked = true;
      requestAnimationFrame(draw);
    },
  });

  Object.defineProperty(window, '__live', {
    value: {
      get state() {
        return phase;
      },
      get points() {
        return points;
      },
      get lastUpdate() {
        return lastUpdate;
      },
    },
  });

  setInterval(showFigures, kFiguresEveryMs);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => board.redrawAll(Date.now()));
  // Browsers slow the timers of hidden pages down, so the next attempt may be a minute away when somebody looks.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) newestPublish = null;
    else feed.retryNow();
  });
  window.addEventListener('online', () => feed.retryNow());
  void feed.open();
}

start();
