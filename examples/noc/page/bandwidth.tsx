import { useEffect, useRef, type ReactElement } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { bytesText, timeText } from './format.ts';
import type { Sample } from './types.ts';
import type { Bandwidth } from './use_bandwidth.ts';

const kHeight = 200;

const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(width: number): uPlot.Options {
  const axis = { stroke: () => color('--soft'), grid: { stroke: () => color('--grid') }, ticks: { show: false } };
  const line = (label: string, name: string): uPlot.Series => ({
    label, stroke: () => color(name), width: 1.5, points: { show: false }, value: (_, value) => `${bytesText(value ?? 0)}/s`,
  });
  return {
    width,
    height: kHeight,
    scales: { y: { range: (_, __, most) => [0, Math.max(1000, most * 1.1)] } },
    series: [{ label: 'at', value: (_, value) => (value ? timeText(value * 1000) : '–') }, line('received', '--accent'), line('sent', '--bolt')],
    axes: [
      { ...axis, space: 90, values: (_, values) => values.map((value) => timeText(value * 1000)) },
      { ...axis, size: 70, values: (_, values) => values.map((value) => `${bytesText(value)}/s`) },
    ],
  };
}

const columns = (samples: Sample[]): uPlot.AlignedData =>
  [samples.map(({ at }) => at / 1000), samples.map(({ rx }) => rx), samples.map(({ tx }) => tx)];

function Chart({ samples }: { samples: Sample[] }): ReactElement {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  useEffect(() => {
    const target = box.current!;
    const made = new uPlot(options(target.clientWidth), columns([]), target);
    chart.current = made;
    const watcher = new ResizeObserver(() => made.setSize({ width: target.clientWidth, height: kHeight }));
    watcher.observe(target);
    return () => {
      watcher.disconnect();
      made.destroy();
    };
  }, []);
  useEffect(() => chart.current?.setData(columns(samples)), [samples]);
  return <div ref={box} className="chart" data-samples={samples.length} />;
}

export function BandwidthCard({ bandwidth }: { bandwidth: Bandwidth }): ReactElement {
  const { interfaces, chosen, choose, samples, error } = bandwidth;
  return (
    <section className="card wide" aria-labelledby="bandwidth">
      <div className="line">
        <h2 id="bandwidth">Bandwidth of this machine</h2>
        <select aria-label="Interface" value={chosen} onChange={(event) => choose(event.target.value)}>
          {interfaces.map((name) => <option key={name}>{name}</option>)}
        </select>
      </div>
      {error && <p className="problem" role="alert">{error}</p>}
      <Chart samples={samples} />
    </section>
  );
}
