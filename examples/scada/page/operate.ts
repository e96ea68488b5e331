// What operators do: the firehose, faults, load tests, failed jobs.
import type Pusher from 'pusher-js';

import { element, request, toast } from '../../common/page/kit';
import { nothing } from './alarms';
import { clock, fixed, whole } from './format';
import type { Session } from './session';
import type { FailedJob, Status } from './types';

const kRates = [0, 10, 100, 200, 1000, 5000, 10_000, 20_000];
const kFailedEveryMs = 5000;
const kOperators = 'private-operators';
const kLoadChannel = 'scada-loadtest';

export class Operate {
  /** Between the first touch of the slider and its end. */
  #held = false;
  /** Answers to come for rates that were asked for. */
  #asked = 0;

  constructor(readonly session: Session, readonly pusher: Pusher, readonly chosen: () => string) {
    const slider = element<HTMLInputElement>('rate');
    slider.addEventListener('input', () => {
      this.#held = true;
      element('rate-text').textContent = whole(kRates[Number(slider.value)] ?? 0);
    });
    slider.addEventListener('change', () => void this.#turn(kRates[Number(slider.value)] ?? 0));
    // Dragged away and back it has not changed. A timer, because a change comes after these.
    const letGo = (): void => void setTimeout(() => (this.#held = false));
    for (const end of ['keyup', 'blur']) slider.addEventListener(end, letGo);
    for (const end of ['pointerup', 'pointercancel']) addEventListener(end, letGo);
    this.#onSubmit('load', () => this.#loadTest());
    this.#onSubmit('fault', () => this.#breakSensor());
    setInterval(() => void this.showFailed(), kFailedEveryMs);
    void this.showFailed();
  }

  /** Shows what this user may do. */
  onSession(): void {
    const { operator } = this.session;
    element<HTMLInputElement>('rate').disabled = !operator;
    element<HTMLButtonElement>('load-button').disabled = !operator;
    element('fault').hidden = !operator;
    const known = this.session.token !== null;
    element('login-hint').hidden = known;
    element('role-hint').hidden = !known || operator;
    this.#listenToOperators(operator);
    void this.showFailed();
  }

  /** The rate as it is, unless somebody holds the slider. */
  onStatus({ rate }: Status): void {
    if (this.#held || this.#asked > 0) return;
    const at = kRates.filter((step) => step <= rate.asked).length - 1;
    element<HTMLInputElement>('rate').value = String(at);
    element('rate-text').textContent = whole(rate.asked);
  }

  async showFailed(): Promise<void> {
    let jobs: FailedJob[] = [];
    try {
      jobs = (await request<{ jobs: FailedJob[] }>('/api/jobs/failed')).jobs;
    } catch {
      return; // the connection's badge says it already
    }
    const lines = jobs.map((job) => this.#failedLine(job));
    element('failed').replaceChildren(...(lines.length > 0 ? lines : [nothing('None. After three tries a job would wait here.')]));
  }

  /** What operators tell each other; the server refuses the channel to all others. */
  #listenToOperators(operator: boolean): void {
    this.pusher.unsubscribe(kOperators);
    if (!operator) return;
    const channel = this.pusher.subscribe(kOperators);
    channel.unbind_all();
    channel.bind('scada.firehose.turned', ({ by, rate }: { by: string; rate: number }) => {
      toast(`${by} turned the firehose to ${whole(rate)} readings/s`);
    });
  }

  #failedLine(job: FailedJob): HTMLLIElement {
    const line = document.createElement('li');
    const what = document.createElement('span');
    what.className = 'what';
    what.textContent = `${job.job}: ${whole(job.readings)} ${job.readings === 1 ? 'reading' : 'readings'}, ${job.tries} tries, ${clock(job.failed)}: ${job.error}`;
    line.append(what);
    if (!this.session.operator) return line;
    for (const [text, method, suffix] of [['Retry', 'POST', '/retry'], ['Forget', 'DELETE', '']] as const) {
      const button = document.createElement('button');
      button.textContent = text;
      button.addEventListener('click', () => void this.#change(`/api/jobs/failed/${job.job}${suffix}`, method));
      line.append(button);
    }
    return line;
  }

  async #change(path: string, method: string): Promise<void> {
    if (await this.session.ask(path, { method })) await this.showFailed();
  }

  async #turn(rate: number): Promise<void> {
    this.#asked++;
    await this.session.ask('/api/firehose', { body: { rate } });
    this.#asked--;
  }

  async #breakSensor(): Promise<void> {
    const fault = element<HTMLSelectElement>('fault-kind').value;
    const sensor = this.chosen();
    if (await this.session.ask('/api/faults', { body: { sensor, fault } })) toast(`${sensor}: ${fault} for 20 s`, 'wait');
  }

  /** Sent by the program, received here: both rates are told. */
  async #loadTest(): Promise<void> {
    const button = element<HTMLButtonElement>('load-button');
    button.disabled = true;
    element('load-result').textContent = 'sending…';
    let received = 0;
    let first = 0;
    let last = 0;
    const channel = this.pusher.subscribe(kLoadChannel);
    await subscribed(channel);
    channel.bind('scada.data.received', () => {
      received++;
      last = performance.now();
      first ||= last;
    });
    const result = await this.session.ask<{ messages: number; failed: number; seconds: number; rate: number }>(
      '/api/loadtest', { body: { messages: 1000 } });
    // The last ones may be on their way.
    for (let i = 0; result && i < 50 && received < result.messages - result.failed; i++) await sleep(100);
    this.pusher.unsubscribe(kLoadChannel);
    channel.unbind_all();
    button.disabled = !this.session.operator;
    element('load-result').textContent = result
      ? `${whole(result.messages - result.failed)} messages sent in ${fixed(result.seconds, 2)} s, ${whole(result.rate)}/s; `
        + `${whole(received)} received here, ${whole(received / Math.max((last - first) / 1000, 0.001))}/s`
      : '';
  }

  #onSubmit(id: string, act: () => Promise<void>): void {
    element<HTMLFormElement>(id).addEventListener('submit', (event) => {
      event.preventDefault();
      void act();
    });
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => {
    setTimeout(done, ms);
  });
}

/** Resolves when the channel is subscribed, or after some seconds. */
async function subscribed(channel: { subscribed: boolean }): Promise<void> {
  for (let i = 0; i < 50 && !channel.subscribed; i++) await sleep(100);
}
