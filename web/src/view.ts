// Words and figures around the charts.

import type { LiveConfig } from './config';
import type { Status } from './feed';
import { formatAge, formatClock, formatCount, formatNumber } from './format';

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found;
}

/** Writing text that is already there would still cost a layout, and screen readers would read it again. */
function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

export interface Figures {
  points: number;
  sensors: number;
  undrawn: number;
  perSecond: number;
  lastUpdate: number | null;
  delay: number | null;
  uptime: string;
}

export class View {
  readonly charts = element('charts');
  private readonly state = element('state-text');
  private readonly notice = element('notice');
  private readonly noticeTitle = element('notice-title');
  private readonly noticeText = element('notice-text');
  private status: Status = { phase: 'connecting', attempt: 1, reason: '' };
  private connectedAt: number | null = null;

  constructor(retry: () => void) {
    element('retry').addEventListener('click', retry);
  }

  showStatus(status: Status, now: number): void {
    this.status = status;
    this.connectedAt = status.phase === 'connected' ? (this.connectedAt ?? now) : null;
    document.body.dataset['phase'] = status.phase;
    const words = {
      connecting: 'Connecting…',
      connected: 'Connected',
      lost: 'Connection lost',
      refused: 'Refused by the server',
    };
    // The attempt count is left to the notice: a live region should not speak every few seconds.
    setText(this.state, words[status.phase]);
    document.title = status.phase === 'connected' ? 'Kilat live' : `${words[status.phase]} · Kilat live`;
  }

  showFigures(figures: Figures, now: number): void {
    setText(element('points'), formatCount(figures.points));
    const sensors = figures.sensors === 1 ? '1 sensor' : `${figures.sensors} sensors`;
    const uptime = figures.uptime === '' ? '' : ` · host up ${figures.uptime}`;
    setText(element('sensors'), figures.points === 0 ? 'no sensor yet' : sensors + uptime);
    setText(element('rate'), figures.perSecond === 0 ? '0' : formatNumber(figures.perSecond));
    setText(element('last'), figures.lastUpdate === null ? '–' : formatClock(figures.lastUpdate));
    setText(element('age'), figures.lastUpdate === null ? 'nothing received yet' : formatAge(now - figures.lastUpdate));
    this.showDelay(figures.delay);
    const more = element('more-sensors');
    more.hidden = figures.undrawn === 0;
    setText(more, `${formatCount(figures.undrawn)} readings came from sensors beyond those drawn here.`);
    this.showNotice(figures, now);
  }

  /** The three lines that let a newcomer take part. */
  showTryIt(config: LiveConfig): void {
    const lines: [string, string][] = [
      ['Terminal', `kilat publish ${config.app} ${config.channel} ${config.event} '{"channel":"demo","value":42}'`],
      ['JavaScript', `const echo = new Echo({ broadcaster: 'reverb', key: '${config.key}', wsHost: '${config.host}', wsPort: ${config.port},${config.pathPrefix ? ` wsPath: '${config.pathPrefix}',` : ''} forceTLS: ${config.secure}, enabledTransports: ['ws', 'wss'] })`],
      ['', `echo.channel('${config.channel}').listen('.${config.event}', (e) => console.log(e))`],
    ];
    element('try-lines').replaceChildren(
      ...lines.map(([label, code]) => {
        const row = document.createElement('li');
        row.appendChild(document.createElement('span')).textContent = label;
        row.appendChild(document.createElement('code')).textContent = code;
        return row;
      }),
    );
  }

  private showDelay(delay: number | null): void {
    // The delay compares two clocks. A negative or absurd one says that they differ, not how fast the server is.
    const comparable = delay !== null && delay > -50 && delay < 60_000;
    setText(element('latency'), comparable ? `${Math.max(0, Math.round(delay))} ms` : '–');
    const note = delay !== null && !comparable ? 'the clocks of the two machines differ' : 'median of the last 50';
    setText(element('latency-note'), note);
  }

  private showNotice(figures: Figures, now: number): void {
    const [title, text, retry] = this.noticeWords(figures, now);
    this.notice.hidden = title === '';
    element('retry').hidden = !retry;
    setText(this.noticeTitle, title);
    setText(this.noticeText, text);
  }

  private noticeWords({ lastUpdate }: Figures, now: number): [string, string, boolean] {
    const { phase, attempt, reason } = this.status;
    switch (phase) {
      case 'lost': {
        const kept = lastUpdate === null ? '' : ` The picture below is from ${formatClock(lastUpdate)}.`;
        return [`Connection lost, reconnecting (attempt ${attempt})…`, `The server does not answer.${kept}`, true];
      }
      case 'refused':
        return ['The server refused this page.', `${reason || 'It gave no reason.'} Asking again (attempt ${attempt})…`, true];
      case 'connecting':
        return attempt < 2 ? ['', '', false] : [`No connection yet, trying again (attempt ${attempt})…`, reason, true];
      case 'connected':
        if (lastUpdate === null && this.connectedAt !== null && now - this.connectedAt > 4000) {
          return ['Connected, and waiting for data.', 'Start "kilat feed" to publish this machine’s figures.', false];
        }
        return ['', '', false];
    }
  }
}
