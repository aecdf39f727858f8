// Charts as inline SVG: no script, no font, no address of anything outside. Colours come from the
// page's CSS variables, so that one drawing is right in light and in dark. Pure.

const MARGIN = { top: 12, right: 14, bottom: 44, left: 64 };
const FONT = 12;

export interface Frame {
  width: number;
  height: number;
  /** For those who cannot see it. */
  title: string;
  xLabel: string;
  yLabel: string;
}

export interface Series {
  name: string;
  /** A CSS colour, such as `var(--sold)`. */
  colour: string;
  values: readonly number[];
}

export interface XAxis {
  from: number;
  to: number;
}

/** Text that may stand anywhere in HTML or SVG. */
export function escaped(text: string): string {
  const names: Record<string, string> = {
    '&': 'amp',
    '<': 'lt',
    '>': 'gt',
    '"': 'quot',
    "'": '#39',
  };
  return text.replace(/[&<>"']/g, (character) => `&${names[character]};`);
}

/** Round steps (1, 2, 5 times a power of ten), the last at or above `max`. */
export function ticksTo(max: number, about = 4): number[] {
  if (!(max > 0)) return [0, 1];
  const rough = max / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const count = Math.ceil(max / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** Bars on one another, with lines above them. Each bin of the x axis is as wide as the others. */
export function stackedBars(
  frame: Frame,
  x: XAxis,
  bars: readonly Series[],
  lines: readonly Series[] = [],
): string {
  const bins = bars[0]?.values.length ?? 0;
  const totals = Array.from({ length: bins }, (_, i) => sumAt(bars, i));
  const peak = Math.max(1, ...totals, ...lines.flatMap((line) => line.values));
  const plot = new Plot(frame, x, peak);
  const wide = plot.innerWidth / Math.max(1, bins);
  const shapes = Array.from({ length: bins }, (_, bin) => {
    let base = 0;
    return bars
      .map((series) => {
        const value = series.values[bin] ?? 0;
        if (value === 0) return '';
        const top = plot.y(base + value);
        const height = plot.y(base) - top;
        base += value;
        const left = MARGIN.left + bin * wide + Math.min(1, wide / 8);
        const width = Math.max(0.5, wide - Math.min(2, wide / 4));
        const from = round(x.from + ((x.to - x.from) * bin) / bins);
        const tip = `${from}: ${value.toLocaleString('en-US')} ${series.name}`;
        return (
          `<rect x="${round(left)}" y="${round(top)}" width="${round(width)}" ` +
          `height="${round(height)}" fill="${series.colour}"><title>${escaped(tip)}</title></rect>`
        );
      })
      .join('');
  });
  const paths = lines.map((line) => {
    const middle = (bin: number) => MARGIN.left + (bin + 0.5) * wide;
    return plot.path(
      line.values.map((value, bin) => [middle(bin), plot.y(value)]),
      line.colour,
    );
  });
  return plot.drawn([...shapes, ...paths]);
}

/** Lines over evenly spaced moments; a gap in the values is a gap in the line. */
export function lineChart(
  frame: Frame,
  x: XAxis,
  lines: readonly (Omit<Series, 'values'> & { values: readonly (number | null)[] })[],
): string {
  const peak = Math.max(1, ...lines.flatMap((line) => line.values.map((value) => value ?? 0)));
  const plot = new Plot(frame, x, peak);
  const shapes = lines.flatMap((line) => {
    const step = plot.innerWidth / Math.max(1, line.values.length);
    const runs: [number, number][][] = [[]];
    line.values.forEach((value, index) => {
      if (value === null) runs.push([]);
      else runs.at(-1)?.push([MARGIN.left + (index + 0.5) * step, plot.y(value)]);
    });
    return runs.filter((run) => run.length > 0).map((run) => plot.path(run, line.colour));
  });
  return plot.drawn(shapes);
}

/** Areas on one another over evenly spaced moments, filling up to `total`. */
export function stackedAreas(
  frame: Frame,
  x: XAxis,
  areas: readonly Series[],
  total: number,
): string {
  const plot = new Plot(frame, x, total, true);
  const points = areas[0]?.values.length ?? 0;
  const xAt = (index: number) => MARGIN.left + (plot.innerWidth * index) / Math.max(1, points - 1);
  const base = new Array<number>(points).fill(0);
  const shapes = areas.map((area) => {
    const lower = base.map((value, index) => [xAt(index), plot.y(value)] as const);
    area.values.forEach((value, index) => {
      base[index] = (base[index] ?? 0) + value;
    });
    const upper = base.map((value, index) => [xAt(index), plot.y(value)] as const);
    const outline = [...upper, ...lower.reverse()];
    const d = outline
      .map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${round(px)} ${round(py)}`)
      .join('');
    return `<path d="${d}Z" fill="${area.colour}"><title>${escaped(area.name)}</title></path>`;
  });
  return plot.drawn(shapes);
}

/** One figure for each band: a histogram whose bands are named. */
export function bandChart(
  frame: Frame,
  bands: readonly { name: string; value: number }[],
  colour: string,
  marks: readonly { band: number; name: string }[] = [],
): string {
  const peak = Math.max(1, ...bands.map((band) => band.value));
  const plot = new Plot(frame, null, peak);
  const wide = plot.innerWidth / Math.max(1, bands.length);
  const shapes = bands.map(({ name, value }, index) => {
    const left = MARGIN.left + index * wide;
    const top = plot.y(value);
    const label =
      `<text x="${round(left + wide / 2)}" y="${plot.floor + 16}" text-anchor="middle">` +
      `${escaped(name)}</text>`;
    const tip = `${value.toLocaleString('en-US')} answers in ${name}`;
    return (
      `<rect x="${round(left + 2)}" y="${round(top)}" width="${round(wide - 4)}" ` +
      `height="${round(plot.floor - top)}" rx="2" fill="${colour}">` +
      `<title>${escaped(tip)}</title></rect>${label}`
    );
  });
  const flags = marks.map(({ band, name }) => {
    const at = round(MARGIN.left + band * wide);
    return (
      `<line x1="${at}" x2="${at}" y1="${MARGIN.top}" y2="${plot.floor}" class="mark"/>` +
      `<text x="${at + 4}" y="${MARGIN.top + FONT - 2}" class="flag">${escaped(name)}</text>`
    );
  });
  return plot.drawn([...shapes, ...flags]);
}

class Plot {
  readonly innerWidth: number;
  readonly floor: number;
  private readonly ticks: number[];
  private readonly top: number;

  constructor(
    private readonly frame: Frame,
    private readonly x: XAxis | null,
    max: number,
    exact = false,
  ) {
    this.innerWidth = frame.width - MARGIN.left - MARGIN.right;
    this.floor = frame.height - MARGIN.bottom;
    const ticks = ticksTo(max);
    this.ticks = exact ? ticks.filter((tick) => tick <= max) : ticks;
    this.top = exact ? max : (ticks.at(-1) ?? 1);
  }

  y(value: number): number {
    return this.floor - ((this.floor - MARGIN.top) * value) / this.top;
  }

  path(points: readonly (readonly [number, number])[], colour: string): string {
    const d = points
      .map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${round(px)} ${round(py)}`)
      .join('');
    return `<path d="${d}" class="line" stroke="${colour}"/>`;
  }

  drawn(shapes: readonly string[]): string {
    const { width, height, title, xLabel, yLabel } = this.frame;
    const middle = round((MARGIN.top + this.floor) / 2);
    return (
      `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}" ` +
      `font-size="${FONT}">${this.grid()}${shapes.join('')}${this.xTicks()}` +
      `<text x="${round(MARGIN.left + this.innerWidth / 2)}" y="${height - 8}" ` +
      `text-anchor="middle" class="axis">${escaped(xLabel)}</text>` +
      `<text x="12" y="${middle}" text-anchor="middle" class="axis" ` +
      `transform="rotate(-90 12 ${middle})">${escaped(yLabel)}</text></svg>`
    );
  }

  private grid(): string {
    const right = MARGIN.left + this.innerWidth;
    return this.ticks
      .map((tick) => {
        const at = round(this.y(tick));
        return (
          `<line x1="${MARGIN.left}" x2="${right}" y1="${at}" y2="${at}" ` +
          `class="${tick === 0 ? 'base' : 'grid'}"/>` +
          `<text x="${MARGIN.left - 8}" y="${at + 4}" text-anchor="end">` +
          `${tick.toLocaleString('en-US')}</text>`
        );
      })
      .join('');
  }

  private xTicks(): string {
    const { x } = this;
    if (!x) return '';
    const about = Math.max(2, Math.round(this.innerWidth / 65));
    return ticksTo(x.to, about)
      .filter((tick) => tick >= x.from && tick <= x.to)
      .map((tick) => {
        const at = round(MARGIN.left + (this.innerWidth * (tick - x.from)) / (x.to - x.from));
        return `<text x="${at}" y="${this.floor + 16}" text-anchor="middle">${tick}</text>`;
      })
      .join('');
  }
}

function sumAt(series: readonly Series[], index: number): number {
  return series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
