// A small line in a canvas: no axes, the whole width, from the smallest to the largest value.
import { color } from './format';

/** Colours are looked up once for each scheme, because that is dear. */
const colors = new Map<string, string>();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => colors.clear());

function cached(name: string): string {
  const known = colors.get(name);
  if (known !== undefined) return known;
  const value = color(name);
  colors.set(name, value);
  return value;
}

/** `least`: how far apart the top and the bottom are at least. */
export function drawLine(canvas: HTMLCanvasElement, values: readonly number[], tone = 'accent', least = 1e-9): void {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (width === 0 || height === 0) return;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const pen = canvas.getContext('2d');
  if (!pen) return;
  pen.clearRect(0, 0, width, height);
  if (values.length < 2) return;
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const span = Math.max(high - low, least);
  const middle = (high + low) / 2;
  const inner = height - 4 * ratio;
  pen.beginPath();
  values.forEach((value, i) => {
    const x = (i / (values.length - 1)) * width;
    const y = height / 2 - ((value - middle) / span) * inner;
    if (i === 0) pen.moveTo(x, y);
    else pen.lineTo(x, y);
  });
  pen.strokeStyle = cached(tone);
  pen.lineWidth = 1.5 * ratio;
  pen.stroke();
}
