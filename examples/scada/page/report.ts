// The program's durations by the hour, and what this page knows of its own work.
import type { LiveSeriesMetrics } from 'kilat-js';

import { element, request } from '../../common/page/kit';
import { fixed, row, whole } from './format';

const kEveryMs = 10_000;

interface Hour {
  hour: number;
  operation: string;
  count: number;
  average_ms: number;
  max_ms: number;
  slow: number;
}

async function showDurations(): Promise<void> {
  try {
    const { hours } = await request<{ hours: Hour[] }>('/api/performance');
    const lines = hours.map((hour) => {
      const time = new Date(hour.hour).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
      const line = row(time, hour.operation, whole(hour.count), `${fixed(hour.average_ms, 2)} ms`, `${fixed(hour.max_ms, 1)} ms`);
      if (hour.slow > 0) {
        line.className = 'slow';
        line.title = `${hour.slow} took more than a second`;
      }
      return line;
    });
    element('performance').replaceChildren(...lines);
  } catch {
    // The connection's badge says it already; the next one comes.
  }
}

export function showDurationsAgainAndAgain(): void {
  setInterval(() => void showDurations(), kEveryMs);
  void showDurations();
}

export function showMetrics(chart: LiveSeriesMetrics, multiples: LiveSeriesMetrics): void {
  const lines: [string, string][] = [
    ['chart: updates', whole(chart.updates)],
    ['chart: points held (1,000 at most)', whole(chart.points)],
    ['chart: drawing, average / longest', `${fixed(chart.renderAverageMs, 2)} / ${fixed(chart.renderMaxMs, 1)} ms`],
    ['small multiples: updates', whole(multiples.updates)],
    ['small multiples: points held', whole(multiples.points)],
    ['small multiples: drawing, average / longest', `${fixed(multiples.renderAverageMs, 2)} / ${fixed(multiples.renderMaxMs, 1)} ms`],
  ];
  element('metrics').replaceChildren(
    ...lines.map(([name, value]) => {
      const line = document.createElement('div');
      const term = document.createElement('dt');
      term.textContent = name;
      const figure = document.createElement('dd');
      figure.textContent = value;
      line.append(term, figure);
      return line;
    }),
  );
}
