// The dashboard of the plant. What it shows of itself for tests is window.__scada.
import { element, request, toast } from '../../common/page/kit';
import { Alarms } from './alarms';
import { Chart, kCapacity, type Range } from './chart';
import { connect } from './connection';
import { WindowTables } from './figures';
import { clock, whole } from './format';
import { Meters } from './meter';
import { Multiples } from './multiples';
import { Operate } from './operate';
import { showDurationsAgainAndAgain, showMetrics } from './report';
import { Session } from './session';
import type { Alarm, FiguresEvent, ReadingEvent, SensorInfo, Status } from './types';

const kAgainMs = 3000;

/** The program may still be starting. */
async function sensorsOfThePlant(): Promise<{ app_key: string; sensors: SensorInfo[] }> {
  for (;;) {
    try {
      return await request('/api/sensors');
    } catch (error) {
      toast(`no sensors yet: ${(error as Error).message}`, 'bad');
      await new Promise((done) => {
        setTimeout(done, kAgainMs);
      });
    }
  }
}

function option(text: string): HTMLOptionElement {
  const made = document.createElement('option');
  made.textContent = text;
  return made;
}

class Page {
  readonly #sensors: Map<string, SensorInfo>;
  readonly #kinds: string[];
  readonly #chart: Chart;
  readonly #multiples = new Multiples((sensor) => this.#choose(sensor));
  readonly #tables = new WindowTables();
  readonly #alarms = new Alarms(this.#multiples);
  readonly #meters = new Meters();
  #points = 0;
  #lastUpdate = 0;

  constructor(key: string, sensors: SensorInfo[]) {
    this.#sensors = new Map(sensors.map((sensor) => [sensor.name, sensor]));
    this.#kinds = [...new Set(sensors.map(({ kind }) => kind))];
    const first = sensors[0];
    if (!first) throw new Error('a plant without sensors');
    this.#chart = new Chart(first);
    this.#fillChoices();
    this.#showKind(first.kind);
    this.#choose(first);
    const session: Session = new Session(() => operate.onSession());
    const { pusher, status } = connect(key, () => session.token);
    const operate: Operate = new Operate(session, pusher, () => this.#chart.sensor.name);
    pusher.connection.bind('message', () => this.#meters.countMessage());
    this.#subscribe(pusher, operate);
    setInterval(() => this.#second(), 500);
    showDurationsAgainAndAgain();
    Object.assign(window, { __scada: { pusher, status, facts: () => this.#facts(status.current()) } });
  }

  #subscribe(pusher: ReturnType<typeof connect>['pusher'], operate: Operate): void {
    const reading = (event: ReadingEvent): void => this.#onReading(event);
    const live = pusher.subscribe('scada-realtime');
    live.bind('scada.data.received', reading);
    // At the first time, and after each reconnect: what was missed is in the history.
    live.bind('pusher:subscription_succeeded', () => {
      void this.#chart.reload();
      void this.#alarms.load();
    });
    pusher.subscribe('scada-batch').bind('scada.batch.processed', (event: FiguresEvent) => this.#tables.onBatch(event));
    pusher.subscribe('scada-aggregated')
      .bind('scada.aggregated.updated', (event: FiguresEvent) => this.#tables.onAggregated(event));
    pusher.subscribe('scada-alarms')
      .bind('scada.alarm.raised', (alarm: Alarm) => this.#alarms.onRaised(alarm))
      .bind('scada.alarm.cleared', (alarm: Alarm) => this.#alarms.onCleared(alarm));
    pusher.subscribe('scada-status').bind('scada.status.updated', (now: Status) => {
      this.#meters.showStatus(now.rate.reached, now.queue.jobs ?? 0);
      operate.onStatus(now);
    });
    element<HTMLInputElement>('raw').addEventListener('change', ({ target }) => {
      if ((target as HTMLInputElement).checked) pusher.subscribe('scada-data').bind('scada.data.received', reading);
      else pusher.unsubscribe('scada-data');
    });
  }

  #onReading({ data, timestamp, channel }: ReadingEvent): void {
    const time = typeof data.timestamp === 'number' ? data.timestamp : Date.parse(timestamp);
    this.#points++;
    this.#lastUpdate = Date.now();
    this.#chart.push(channel, data.value, time);
    this.#multiples.push(channel, data.value, time);
    if (!this.#sensors.has(channel)) this.#addSensor(channel);
  }

  /** One that gateways send and the plant does not know. */
  #addSensor(name: string): void {
    if (this.#sensors.size >= 400 || typeof name !== 'string') return;
    const info = { name, kind: 'other', unit: '', low: null, high: null, decimals: 2 };
    this.#sensors.set(name, info);
    if (!this.#kinds.includes(info.kind)) this.#kinds.push(info.kind);
    this.#fillChoices();
    if (element<HTMLSelectElement>('kind').value === info.kind) this.#showKind(info.kind);
  }

  #fillChoices(): void {
    const sensor = element<HTMLSelectElement>('sensor');
    const kind = element<HTMLSelectElement>('kind');
    const before = [sensor.value, kind.value];
    kind.replaceChildren(...this.#kinds.map(option));
    sensor.replaceChildren(
      ...this.#kinds.map((name) => {
        const group = document.createElement('optgroup');
        group.label = name;
        group.append(...this.#ofKind(name).map((info) => option(info.name)));
        return group;
      }),
    );
    if (before[0]) [sensor.value, kind.value] = before as [string, string];
    sensor.onchange = () => {
      const info = this.#sensors.get(sensor.value);
      if (info) this.#choose(info);
    };
    kind.onchange = () => this.#showKind(kind.value);
    document.querySelectorAll<HTMLButtonElement>('[data-range]').forEach((button) => {
      button.onclick = () => this.#choose(this.#chart.sensor, button.dataset.range as Range);
    });
  }

  #ofKind(kind: string): SensorInfo[] {
    return [...this.#sensors.values()].filter((sensor) => sensor.kind === kind);
  }

  #showKind(kind: string): void {
    this.#multiples.show(this.#ofKind(kind));
    this.#tables.showSensors(this.#ofKind(kind));
  }

  #choose(sensor: SensorInfo, range: Range = this.#chart.range): void {
    this.#chart.show(sensor, range);
    this.#multiples.mark(sensor.name);
    this.#tables.choose(sensor);
    element<HTMLSelectElement>('sensor').value = sensor.name;
    element('fault-sensor').textContent = sensor.name;
    document.querySelectorAll('[data-range]').forEach((button) => {
      button.setAttribute('aria-pressed', String((button as HTMLElement).dataset.range === range));
    });
  }

  #second(): void {
    element('points').textContent = whole(this.#points);
    if (this.#lastUpdate > 0) element('last').textContent = clock(this.#lastUpdate);
    showMetrics(this.#chart.series.metrics(), this.#multiples.series.metrics());
  }

  #facts(snapshot: object): object {
    return {
      ...snapshot,
      points: this.#points,
      lastUpdate: this.#lastUpdate,
      fps: this.#meters.fps,
      messagesPerSecond: this.#meters.messagesPerSecond,
      capacity: kCapacity,
      chart: { ...this.#chart.series.metrics(), ...this.#chart.series.points(this.#chart.sensor.name) },
      multiples: this.#multiples.series.metrics(),
    };
  }
}

void sensorsOfThePlant().then(({ app_key: key, sensors }) => new Page(key, sensors));
