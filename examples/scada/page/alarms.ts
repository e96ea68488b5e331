// The list of alarms, kept by the program; new ones are told in a toast as well.
import { element, request, toast } from '../../common/page/kit';
import { clock } from './format';
import type { Multiples } from './multiples';
import type { Alarm } from './types';

const kShown = 50;

export class Alarms {
  #alarms: Alarm[] = [];

  constructor(readonly multiples: Multiples) {}

  /** Fetches the list; afterwards what comes live keeps it true. */
  async load(): Promise<void> {
    try {
      const before = this.#alarms;
      this.#alarms = (await request<{ alarms: Alarm[] }>('/api/alarms')).alarms;
      for (const { sensor } of before) this.multiples.setAlarm(sensor, false);
      for (const alarm of this.#alarms) if (alarm.cleared === null) this.multiples.setAlarm(alarm.sensor, true);
      this.#draw();
    } catch (error) {
      toast(`alarms: ${(error as Error).message}`, 'bad');
    }
  }

  onRaised(alarm: Alarm): void {
    toast(alarm.text, 'bad');
    this.#put(alarm);
  }

  onCleared(alarm: Alarm): void {
    this.#put(alarm);
  }

  #put(alarm: Alarm): void {
    const others = this.#alarms.filter(({ id }) => id !== alarm.id);
    this.#alarms = [alarm, ...others]
      .sort((a, b) => Number(a.cleared !== null) - Number(b.cleared !== null) || b.id - a.id)
      .slice(0, kShown);
    this.multiples.setAlarm(alarm.sensor, alarm.cleared === null);
    this.#draw();
  }

  #draw(): void {
    const open = this.#alarms.filter(({ cleared }) => cleared === null).length;
    element('alarm-count').textContent = String(open);
    const lines = this.#alarms.map((alarm) => {
      const line = document.createElement('li');
      const badge = document.createElement('span');
      badge.className = `badge ${alarm.cleared === null ? 'bad' : ''}`;
      badge.textContent = alarm.kind;
      const what = document.createElement('span');
      what.className = 'what';
      what.textContent = alarm.text;
      const when = document.createElement('span');
      when.className = 'soft small';
      when.textContent = clock(alarm.raised) + (alarm.cleared === null ? '' : ` – ${clock(alarm.cleared)}`);
      line.append(badge, what, when);
      return line;
    });
    if (lines.length === 0) lines.push(nothing('All sensors are well.'));
    element('alarms').replaceChildren(...lines);
  }
}

/** What a list shows that has nothing to show. */
export function nothing(text: string): HTMLLIElement {
  const line = document.createElement('li');
  line.className = 'soft';
  line.textContent = text;
  return line;
}
