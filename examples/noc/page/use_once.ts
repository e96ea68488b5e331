// Actions on one of many: a second click while the first is being answered does nothing, and what goes wrong is told.
import { useCallback, useRef, useState } from 'react';

import { toast } from '../../common/page/kit.ts';

export interface Once {
  /** Those whose answer is still to come. */
  busy: ReadonlySet<number>;
  run(id: number): void;
}

export function useOnce(action: (id: number) => Promise<void>): Once {
  const [busy, setBusy] = useState<ReadonlySet<number>>(new Set());
  const ids = useRef(new Set<number>());
  const latest = useRef(action);
  latest.current = action;
  const run = useCallback((id: number) => {
    if (ids.current.has(id)) return;
    ids.current.add(id);
    setBusy(new Set(ids.current));
    latest.current(id)
      .catch((failure: Error) => toast(failure.message, 'bad'))
      .finally(() => {
        ids.current.delete(id);
        setBusy(new Set(ids.current));
      });
  }, []);
  return { busy, run };
}
