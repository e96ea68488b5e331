import type { ReactElement } from 'react';

import { bytesText } from './format.ts';
import type { Stats } from './types.ts';

export function StatsCard({ stats, error }: { stats: Stats | null; error: string | null }): ReactElement {
  const share = stats ? Math.round((100 * stats.memory_used_bytes) / Math.max(1, stats.memory_total_bytes)) : 0;
  const figures: [name: string, value: string, unit: string][] = stats
    ? [
        ['Processor', `${Math.round(stats.cpu_percent)} %`, 'of this machine'],
        ['Memory', `${share} %`, `of ${bytesText(stats.memory_total_bytes)}`],
        ['Load', stats.load.toFixed(2), 'in the last minute'],
        ['Connections', String(stats.connections), 'open to this server'],
      ]
    : [];
  return (
    <section className="card wide" aria-label="System" data-at={stats?.at}>
      {error && <p className="problem" role="alert">{error}</p>}
      <dl className="figures">
        {figures.map(([name, value, unit]) => (
          <div key={name}>
            <dt className="soft small">{name}</dt>
            <dd className="figure" data-figure={name}>{value}</dd>
            <dd className="soft small">{unit}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
