// What the pages of the examples share: toasts, the badge of the connection, requests to the page's own server.

export type Tone = 'good' | 'wait' | 'bad' | '';

/** How long a toast stays. */
export const kToastMs = 5000;

/** The element with this id; a page without it is broken, so it throws. */
export function element<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found as Kind;
}

/** Shows a message for five seconds. */
export function toast(text: string, tone: Tone = ''): void {
  let stack = document.querySelector('.toasts');
  if (!stack) {
    stack = document.createElement('div');
    stack.className = 'toasts';
    stack.setAttribute('role', 'status');
    document.body.append(stack);
  }
  const box = document.createElement('div');
  box.className = `toast ${tone}`;
  box.textContent = text;
  stack.append(box);
  setTimeout(() => box.remove(), kToastMs);
}

/** Sets the words and colour of a badge. */
export function badge(target: HTMLElement, text: string, tone: Tone): void {
  target.className = `badge ${tone}`;
  target.textContent = text;
}

/** What the server answered instead of a 2xx. */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** What fetch says when there was no answer is "Failed to fetch" in one browser, and something else in the next. */
async function answerTo(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    throw error instanceof TypeError ? new Error('the server cannot be reached') : error;
  }
}

/** Asks the page's own server; throws RequestError with its `error` for anything but 2xx. */
export async function request<Answer>(
  path: string,
  options: { method?: string; token?: string | null; body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Answer> {
  const headers: Record<string, string> = { ...options.headers };
  if (options.token) headers.Authorization = `Bearer ${options.token}`;
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  const answer = await answerTo(path, {
    method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
    headers,
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const value = (await answer.json().catch(() => ({}))) as Answer & { error?: string };
  if (!answer.ok) throw new RequestError(answer.status, value.error ?? `HTTP ${answer.status}`);
  return value;
}
