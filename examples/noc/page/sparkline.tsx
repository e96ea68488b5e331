import type { ReactElement } from 'react';

const kWidth = 160;
const kHeight = 32;

/** The last values as a line; the dashed line is the threshold, when the values come near it. */
export function Sparkline({ values, limit, label }: { values: number[]; limit: number; label: string }): ReactElement {
  const most = Math.max(1, ...values) * 1.15;
  const y = (value: number): number => kHeight - 2 - (value / most) * (kHeight - 4);
  const step = kWidth / 59;
  const first = kWidth - (values.length - 1) * step;
  const points = values.map((value, index) => `${(first + index * step).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  return (
    <svg className="sparkline" viewBox={`0 0 ${kWidth} ${kHeight}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {limit < most && <line x1="0" x2={kWidth} y1={y(limit)} y2={y(limit)} />}
      <polyline points={points} />
    </svg>
  );
}
