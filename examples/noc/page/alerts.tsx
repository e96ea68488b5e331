import type { ReactElement } from 'react';

import { timeText } from './format.ts';
import type { Alert } from './types.ts';
import { useOnce } from './use_once.ts';

function tone({ status, severity }: Alert): string {
  if (status === 'resolved') return 'good';
  return severity === 'critical' ? 'bad' : 'wait';
}

function note({ status, acknowledged_by, resolved_at }: Alert): string {
  if (status === 'resolved' && resolved_at !== null) return `resolved ${timeText(resolved_at)}`;
  return status === 'acknowledged' ? `seen by ${acknowledged_by}` : 'open';
}

interface Props {
  alerts: Alert[];
  error: string | null;
  /** Missing: only to look at. */
  onAcknowledge?(id: number): Promise<void>;
}

export function AlertList({ alerts, error, onAcknowledge }: Props): ReactElement {
  const { busy, run } = useOnce(async (id) => onAcknowledge?.(id));
  return (
    <>
      {error && <p className="problem" role="alert">{error}</p>}
      {alerts.length === 0 && !error && <p className="soft">Nothing has happened yet.</p>}
      <ul className="alerts">
        {alerts.map((alert) => (
          <li key={alert.id} data-alert={alert.id} data-status={alert.status} data-kind={alert.kind}>
            <span className={`badge ${tone(alert)}`}>{note(alert)}</span>
            <span className="message">{alert.message}</span>
            <time className="soft small">{timeText(alert.created_at)}</time>
            {onAcknowledge && alert.status === 'open' && (
              <button disabled={busy.has(alert.id)} onClick={() => run(alert.id)}>Acknowledge</button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
