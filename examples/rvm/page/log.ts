// The two lists of the page: changes of status, and what happened to the page itself. Bounded; the newest on top.
import { element, type Tone } from '../../common/page/kit.ts';
import type { Change } from './types.ts';

const kEntriesMax = 100;

function item(time: number, ...parts: [string, Tone?][]): HTMLLIElement {
  const made = document.createElement('li');
  const when = document.createElement('time');
  when.dateTime = new Date(time).toISOString();
  when.textContent = new Date(time).toLocaleTimeString('en-GB');
  made.append(when);
  for (const [text, tone] of parts) {
    const span = document.createElement('span');
    span.className = tone ?? '';
    span.textContent = text;
    made.append(span);
  }
  return made;
}

function put(list: HTMLElement, made: HTMLElement, before: Element | null = list.firstElementChild): void {
  list.insertBefore(made, before);
  while (list.children.length > kEntriesMax) list.lastElementChild?.remove();
}

/** Changes of status, each once: staff hear of them on both channels. */
export class ChangeList {
  readonly #list = element('changes');
  readonly #empty = this.#list.querySelector('.empty');
  readonly #items = new Map<number, HTMLLIElement>();

  /** True when the change was not listed yet. The name of who did it may come with the second channel. */
  add(change: Change): boolean {
    const known = this.#items.get(change.change_id);
    if (known && !change.changed_by) return false;
    const made = item(
      Date.parse(change.updated_at),
      [`${change.rvm_name}: ${change.previous_status} → ${change.status}`],
      [change.changed_by ? `by ${change.changed_by}` : '', ''],
    );
    made.dataset.change = String(change.change_id);
    this.#items.set(change.change_id, made);
    if (known) {
      known.replaceWith(made);
      return false;
    }
    this.#empty?.remove();
    put(this.#list, made, this.#newestBefore(change.change_id));
    for (const [id, old] of this.#items) if (!old.isConnected) this.#items.delete(id);
    return true;
  }

  clear(): void {
    this.#items.clear();
    this.#list.replaceChildren(...(this.#empty ? [this.#empty] : []));
  }

  /** History may come after changes that it does not hold yet, so each has its place by its number. */
  #newestBefore(id: number): Element | null {
    return [...this.#list.children].find((entry) => Number((entry as HTMLElement).dataset.change) < id) ?? null;
  }
}

export type LogKind = 'connection' | 'auth' | 'event' | 'request';

/** Connection, authorization, event and request errors, and how they ended. The same line again only counts up. */
export class ActivityLog {
  readonly #list = element('log');
  #last = '';
  #times = 1;

  add(kind: LogKind, text: string, tone: Tone = ''): void {
    const line = `${kind}: ${text}`;
    if (line === this.#last) this.#list.firstElementChild?.remove();
    this.#times = line === this.#last ? this.#times + 1 : 1;
    this.#last = line;
    const made = item(Date.now(), [kind], [this.#times > 1 ? `${text} (×${this.#times})` : text, tone]);
    made.dataset.kind = kind;
    put(this.#list, made);
  }
}
