// Toasts of changes: one each, but when many come at once (after a reconnect, say) the rest in one.
import { toast } from '../../common/page/kit.ts';
import { kTones, type Change } from './types.ts';

const kAtOnce = 4;
const kWindowMs = 2000;

let shown = 0;
let held = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

function endWindow(): void {
  if (held > 0) toast(`${held} more changes: see the list`);
  shown = held = 0;
  timer = undefined;
}

export function changeToast(change: Change): void {
  timer ??= setTimeout(endWindow, kWindowMs);
  if (shown >= kAtOnce) {
    held++;
    return;
  }
  shown++;
  toast(`${change.rvm_name} is ${change.status} (was ${change.previous_status})`, kTones[change.status]);
}
