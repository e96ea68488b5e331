// What this page costs and gets: frames and messages a second, counted here; each with a line of the last minute.
import { element } from '../../common/page/kit';
import { whole } from './format';
import { drawLine } from './line';

const kSeconds = 60;

/** A figure with the line of its last minute. */
class Gauge {
  readonly #values: number[] = [];

  constructor(readonly id: string, readonly tone: string) {}

  show(value: number): void {
    this.#values.push(value);
    if (this.#values.length > kSeconds) this.#values.shift();
    element(this.id).textContent = whole(value);
    drawLine(element<HTMLCanvasElement>(`${this.id}-line`), this.#values, this.tone, 1);
  }
}

export class Meters {
  #frames = 0;
  #messages = 0;
  #at = performance.now();
  fps = 0;
  messagesPerSecond = 0;
  readonly #gauges = {
    reached: new Gauge('reached', 'bolt'),
    messages: new Gauge('messages', 'accent'),
    fps: new Gauge('fps', 'good'),
    queue: new Gauge('queue', 'soft'),
  };

  constructor() {
    const frame = (): void => {
      this.#frames++;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    setInterval(() => this.#second(), 1000);
  }

  countMessage(): void {
    this.#messages++;
  }

  /** What the program says of itself, once a second. */
  showStatus(reached: number, jobs: number): void {
    this.#gauges.reached.show(reached);
    this.#gauges.queue.show(jobs);
  }

  #second(): void {
    const now = performance.now();
    const seconds = (now - this.#at) / 1000;
    this.#at = now;
    this.fps = this.#frames / seconds;
    this.messagesPerSecond = this.#messages / seconds;
    this.#frames = this.#messages = 0;
    this.#gauges.fps.show(this.fps);
    this.#gauges.messages.show(this.messagesPerSecond);
  }
}
