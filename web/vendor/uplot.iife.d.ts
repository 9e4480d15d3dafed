/** What the page uses of uPlot 1.6. */

export interface Hooks {
  draw?: ((chart: uPlot) => void)[];
  setCursor?: ((chart: uPlot) => void)[];
  setSelect?: ((chart: uPlot) => void)[];
}

export interface Axis {
  stroke?: string;
  font?: string;
  size?: number;
  space?: number;
  grid?: { stroke?: string; width?: number };
  ticks?: { stroke?: string; width?: number; size?: number };
  splits?: (chart: uPlot) => number[];
  values?: (chart: uPlot, splits: number[]) => string[];
  incrs?: number[];
}

export interface Series {
  label?: string;
  stroke?: string;
  fill?: string;
  width?: number;
  paths?: unknown;
  points?: { show: boolean };
}

export interface Options {
  width: number;
  height: number;
  series: Series[];
  axes?: Axis[];
  scales?: Record<string, { time?: boolean; range?: [number, number] | ((chart: uPlot, least: number, most: number) => [number, number]) }>;
  legend?: { show: boolean };
  cursor?: { y?: boolean; points?: { show: boolean }; drag?: { x: boolean; y: boolean; setScale?: boolean } };
  hooks?: Hooks;
  padding?: (number | null)[];
}

export default class uPlot {
  constructor(options: Options, data: (number | null)[][], target: HTMLElement);
  static paths: { bars(options: { size?: [number, number?, number?]; align?: number; disp?: Record<string, { unit: number; values: (chart: uPlot, series: number) => unknown[] }> }): unknown };
  static pxRatio: number;
  ctx: CanvasRenderingContext2D;
  bbox: { left: number; top: number; width: number; height: number };
  cursor: { idx: number | null; left?: number };
  select: { left: number; width: number };
  setSize(size: { width: number; height: number }): void;
  setData(data: (number | null)[][]): void;
  setSelect(select: { left: number; top: number; width: number; height: number }, fire?: boolean): void;
  posToVal(position: number, scale: string): number;
  valToPos(value: number, scale: string, canvas?: boolean): number;
  destroy(): void;
}
