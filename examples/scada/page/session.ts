// Who is logged in. The token is kept for this tab only.
import { element, request, RequestError, toast } from '../../common/page/kit';

const kKey = 'scada-session';

interface Known {
  token: string;
  name: string;
  roles: string[];
}

export class Session {
  #known: Known | null = JSON.parse(sessionStorage.getItem(kKey) ?? 'null') as Known | null;

  /** `changed` is called at each login and logout, and once now. */
  constructor(readonly changed: () => void) {
    element<HTMLFormElement>('login').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#login();
    });
    element('logout').addEventListener('click', () => this.#set(null));
    queueMicrotask(() => this.#show());
  }

  get token(): string | null {
    return this.#known?.token ?? null;
  }

  get operator(): boolean {
    return this.#known?.roles.includes('operator') ?? false;
  }

  /** A request that wants a login; what is wrong is told in a toast, and undefined comes back. */
  async ask<Answer>(path: string, options: { method?: string; body?: unknown } = {}): Promise<Answer | undefined> {
    try {
      return await request<Answer>(path, { ...options, token: this.token });
    } catch (error) {
      if (error instanceof RequestError && error.status === 401) this.#set(null);
      toast((error as Error).message, 'bad');
      return undefined;
    }
  }

  async #login(): Promise<void> {
    const problem = element('login-error');
    problem.textContent = '';
    try {
      this.#set(
        await request<Known>('/api/login', {
          body: {
            login: element<HTMLInputElement>('login-name').value,
            password: element<HTMLInputElement>('login-password').value,
          },
        }),
      );
    } catch (error) {
      problem.textContent = (error as Error).message;
    }
  }

  #set(known: Known | null): void {
    this.#known = known;
    if (known) sessionStorage.setItem(kKey, JSON.stringify(known));
    else sessionStorage.removeItem(kKey);
    this.#show();
  }

  #show(): void {
    element('who').textContent = this.#known ? `${this.#known.name} (${this.#known.roles.join(', ')})` : 'not logged in';
    element('logout').hidden = !this.#known;
    element('login-card').hidden = this.#known !== null;
    this.changed();
  }
}
