// State that is loaded by HTTP and then kept up by events. Events that come while it loads are applied to what was loaded
// as well, so a change must come out the same when it is made twice.
import { useCallback, useRef, useState } from 'react';

export interface Live<State> {
  state: State;
  apply(change: (state: State) => State): void;
  load(fetch: () => Promise<State>): void;
  /** Why it could not be loaded; null when it could. */
  error: string | null;
}

export function useLive<State>(initial: State): Live<State> {
  const [state, setState] = useState(initial);
  const [error, setError] = useState<string | null>(null);
  const meanwhile = useRef<((state: State) => State)[] | null>(null);
  const apply = useCallback((change: (state: State) => State) => {
    meanwhile.current?.push(change);
    setState(change);
  }, []);
  const load = useCallback((fetch: () => Promise<State>) => {
    const changes: ((state: State) => State)[] = [];
    meanwhile.current = changes;
    fetch()
      .then((fresh) => {
        if (meanwhile.current !== changes) return; // loaded once more since then
        setState(changes.reduce((before, change) => change(before), fresh));
        setError(null);
      })
      .catch((failure: Error) => setError(failure.message))
      .finally(() => {
        if (meanwhile.current === changes) meanwhile.current = null;
      });
  }, []);
  return { state, apply, load, error };
}

/** The list with this entry in the place of the one with the same key, or at the front; `most` entries at most. */
export function upsert<Entry>(list: Entry[], entry: Entry, key: (entry: Entry) => unknown, most: number): Entry[] {
  const at = list.findIndex((known) => key(known) === key(entry));
  if (at < 0) return [entry, ...list].slice(0, most);
  return list.map((known, index) => (index === at ? entry : known));
}
