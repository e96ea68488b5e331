// The machines as this page knows them. What comes late (an old event after a newer answer of the server) changes nothing.
import type { Change, Dashboard, Machine, Machines, Status } from './types.ts';
import { kStatuses } from './types.ts';

export class Fleet {
  readonly machines = new Map<number, Machine>();
  /** The newest change of any machine that is known. */
  lastChange = 0;

  /** Takes the answer of GET /api/machines; returns the machines whose status is another one now. */
  replace({ machines, last_change }: Machines): Machine[] {
    const changed: Machine[] = [];
    for (const fresh of machines) {
      const known = this.machines.get(fresh.id);
      if (known && known.change_id > fresh.change_id) continue;
      if (known && known.status !== fresh.status) changed.push(fresh);
      this.machines.set(fresh.id, { ...known, ...fresh });
    }
    this.lastChange = Math.max(this.lastChange, last_change);
    return changed;
  }

  /** Takes an event; true when it is news. */
  apply(change: Change): boolean {
    const machine = this.machines.get(change.rvm_id);
    this.lastChange = Math.max(this.lastChange, change.change_id);
    if (!machine || machine.change_id >= change.change_id) return false;
    machine.change_id = change.change_id;
    machine.status = change.status;
    machine.fill_level = change.fill_level;
    return true;
  }

  figures(board: Dashboard): void {
    for (const figures of board.machines) {
      const machine = this.machines.get(figures.id);
      if (machine) Object.assign(machine, figures);
    }
  }

  counts(): Record<Status, number> {
    const counts = Object.fromEntries(kStatuses.map((status) => [status, 0])) as Record<Status, number>;
    for (const { status } of this.machines.values()) counts[status]++;
    return counts;
  }
}
