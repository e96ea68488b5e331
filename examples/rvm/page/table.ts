// The table of machines. Rows are made once, and only cells that changed are touched.
import { badge, element } from '../../common/page/kit.ts';
import { choices, kTones, type Machine, type Status, type User } from './types.ts';

interface Row {
  row: HTMLTableRowElement;
  status: HTMLElement;
  bar: HTMLElement;
  fill: HTMLElement;
  pet: HTMLElement;
  cans: HTMLElement;
  glass: HTMLElement;
  seen: HTMLElement;
  choice: HTMLSelectElement;
  /** What the row shows, to see what has changed. */
  shown: string;
}

function make<Kind extends keyof HTMLElementTagNameMap>(
  kind: Kind,
  parent: HTMLElement,
  className = '',
): HTMLElementTagNameMap[Kind] {
  const made = document.createElement(kind);
  made.className = className;
  parent.append(made);
  return made;
}

export class Table {
  readonly #body = element('machines').querySelector('tbody')!;
  readonly #rows = new Map<number, Row>();
  #user: User | undefined;

  constructor(
    readonly machines: ReadonlyMap<number, Machine>,
    readonly onChoice: (machine: Machine, status: Status) => Promise<void>,
  ) {
    element('find').addEventListener('input', () => this.#filter());
    element('filter').addEventListener('change', () => this.#filter());
  }

  /** Whose choices the rows offer; undefined: nobody's. */
  setUser(user: User | undefined): void {
    this.#user = user;
    for (const row of this.#rows.values()) {
      row.shown = '';
      delete row.choice.dataset.from;
    }
    this.draw();
  }

  draw(): void {
    for (const machine of this.machines.values()) this.#drawRow(machine);
    this.#filter();
  }

  /** Draws the eye to a machine whose status has changed. */
  flash(id: number): void {
    const row = this.#rows.get(id)?.row;
    if (!row) return;
    row.classList.remove('fresh');
    void row.offsetWidth; // restarts the animation
    row.classList.add('fresh');
  }

  #drawRow(machine: Machine): void {
    const row = this.#rows.get(machine.id) ?? this.#makeRow(machine);
    const shown = JSON.stringify(machine);
    if (row.shown === shown) return;
    row.shown = shown;
    row.row.dataset.status = machine.status;
    badge(row.status, machine.status, kTones[machine.status]);
    row.bar.style.width = `${machine.fill_level}%`;
    row.bar.className = machine.fill_level >= 100 ? 'bad' : machine.fill_level >= 80 ? 'wait' : 'good';
    row.fill.textContent = `${machine.fill_level} %`;
    for (const name of ['pet', 'cans', 'glass'] as const) row[name].textContent = machine[name]?.toLocaleString('en') ?? '';
    const seen = new Date(machine.last_seen);
    row.seen.textContent = seen.toLocaleTimeString('en-GB');
    row.seen.title = seen.toLocaleString('en-GB');
    // Not with every figure: a list that somebody has open would close.
    if (row.choice.dataset.from !== machine.status) this.#drawChoice(row.choice, machine);
  }

  #drawChoice(choice: HTMLSelectElement, machine: Machine): void {
    const open = this.#user ? choices(this.#user, machine.status) : [];
    const options = ['change…', ...open].map((text, index) => new Option(text, index === 0 ? '' : text));
    choice.replaceChildren(...options);
    choice.disabled = open.length === 0;
    choice.dataset.from = machine.status;
  }

  #makeRow(machine: Machine): Row {
    const row = make('tr', this.#body);
    row.dataset.id = String(machine.id);
    const name = make('th', row);
    name.scope = 'row';
    name.textContent = machine.name;
    make('td', row, 'place').textContent = machine.place;
    const status = make('span', make('td', row, 'status'));
    const meter = make('span', make('td', row, 'level'), 'meter');
    const bar = make('i', make('span', meter, 'track'));
    const fill = make('span', meter, 'fill');
    const counter = (name: string): HTMLElement => {
      const cell = make('td', row, 'staff number');
      cell.dataset.name = name; // shown where the row is too narrow for a head
      return cell;
    };
    const [pet, cans, glass] = [counter('PET'), counter('Cans'), counter('Glass')];
    const seen = make('td', row, 'seen soft');
    const choice = make('select', make('td', row, 'staff choice'));
    choice.setAttribute('aria-label', `Set the status of ${machine.name}`);
    choice.addEventListener('change', () => void this.#choose(choice, machine.id));
    const made: Row = { row, status, bar, fill, pet, cans, glass, seen, choice, shown: '' };
    this.#rows.set(machine.id, made);
    return made;
  }

  async #choose(choice: HTMLSelectElement, id: number): Promise<void> {
    const machine = this.machines.get(id);
    const status = choice.value as Status | '';
    if (!machine || !status) return;
    choice.disabled = true;
    try {
      await this.onChoice(machine, status);
    } finally {
      this.#drawChoice(choice, machine);
    }
  }

  #filter(): void {
    const words = element<HTMLInputElement>('find').value.trim().toLowerCase();
    const status = element<HTMLSelectElement>('filter').value;
    let visible = 0;
    for (const machine of this.machines.values()) {
      const fits =
        (!status || machine.status === status) && `${machine.name} ${machine.place}`.toLowerCase().includes(words);
      const row = this.#rows.get(machine.id)?.row;
      if (row) row.hidden = !fits;
      if (fits) visible++;
    }
    element('none').hidden = visible > 0 || this.machines.size === 0;
  }
}
