// Two miniature charts on a canvas: a line of the last values, and bars with names. Drawn on animation frames, and only
// when something has changed.

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

abstract class Spark {
  private asked = false;

  constructor(protected readonly canvas: HTMLCanvasElement) {
    new ResizeObserver(() => this.changed()).observe(canvas);
  }

  protected changed(): void {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.redraw();
    });
  }

  private redraw(): void {
    const scale = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    const context = this.canvas.getContext('2d');
    if (!context || width === 0) return;
    context.scale(scale, scale);
    this.draw(context, width, height);
  }

  protected abstract draw(context: CanvasRenderingContext2D, width: number, height: number): void;
}

/** The last `capacity` values as a line between their least and their greatest. */
export class LineSpark extends Spark {
  private values: number[] = [];

  constructor(canvas: HTMLCanvasElement, private readonly capacity = 120) {
    super(canvas);
  }

  push(value: number): void {
    this.values.push(value);
    if (this.values.length > this.capacity) this.values.shift();
    this.changed();
  }

  protected draw(context: CanvasRenderingContext2D, width: number, height: number): void {
    if (this.values.length < 2) return;
    const least = Math.min(...this.values);
    const range = Math.max(...this.values) - least || 1;
    const x = (i: number): number => (i / (this.values.length - 1)) * width;
    const y = (value: number): number => height - 4 - ((value - least) / range) * (height - 8);
    context.beginPath();
    this.values.forEach((value, i) => (i === 0 ? context.moveTo(x(i), y(value)) : context.lineTo(x(i), y(value))));
    context.strokeStyle = color('--accent');
    context.lineWidth = 1.75;
    context.lineJoin = 'round';
    context.stroke();
  }
}

/** As much of a name as fits. */
function fitting(context: CanvasRenderingContext2D, name: string, width: number): string {
  let text = name;
  for (let end = name.length; end > 1 && context.measureText(text).width > width; ) text = `${name.slice(0, --end).trimEnd()}…`;
  return text;
}

export interface Bar {
  name: string;
  /** 0 … 1 */
  share: number;
  /** A custom property of the style sheet: "--good". */
  tone: string;
}

/** Up to eight bars side by side, each with its name below. */
export class BarSpark extends Spark {
  private bars: Bar[] = [];

  set(bars: Bar[]): void {
    this.bars = bars.slice(0, 8);
    this.changed();
  }

  protected draw(context: CanvasRenderingContext2D, width: number, height: number): void {
    const slot = width / Math.max(this.bars.length, 1);
    const room = height - 18;
    context.font = '11px system-ui, sans-serif';
    context.textAlign = 'center';
    this.bars.forEach((bar, i) => {
      const left = i * slot + slot * 0.15;
      context.fillStyle = color('--grid');
      context.fillRect(left, 0, slot * 0.7, room);
      context.fillStyle = color(bar.tone);
      context.fillRect(left, room * (1 - bar.share), slot * 0.7, room * bar.share);
      context.fillStyle = color('--soft');
      context.fillText(fitting(context, bar.name, slot - 4), i * slot + slot / 2, height - 4);
    });
  }
}
