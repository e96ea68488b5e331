import { useState, type ReactElement } from 'react';

import { timeText } from './format.ts';
import type { LogLine } from './types.ts';

const kShownMax = 60;
const kTones = { debug: '', info: '', warning: 'wait', error: 'bad' };

export function Logs({ lines, error }: { lines: LogLine[]; error: string | null }): ReactElement {
  const [polls, setPolls] = useState(false);
  const shown = lines.filter(({ level }) => polls || level !== 'debug').slice(-kShownMax).reverse();
  return (
    <section className="card" aria-labelledby="logs">
      <div className="line">
        <h2 id="logs">Log</h2>
        <label className="small">
          <input type="checkbox" checked={polls} onChange={(event) => setPolls(event.target.checked)} /> with every poll
        </label>
      </div>
      {error && <p className="problem" role="alert">{error}</p>}
      <ol className="log" tabIndex={0} aria-label="Log, the newest line first">
        {shown.map((line, index) => (
          <li key={`${line.at} ${line.source} ${line.message} ${shown.length - index}`} className={kTones[line.level]}>
            <time>{timeText(line.at)}</time> <b>{line.source}</b> {line.message}
          </li>
        ))}
      </ol>
    </section>
  );
}
