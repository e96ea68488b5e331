// What the program sends: events of the channels and answers of its routes.

export interface SensorInfo {
  name: string;
  kind: string;
  unit: string;
  low: number | null;
  high: number | null;
  decimals: number;
}

/** scada.data.received: one reading. */
export interface ReadingEvent {
  data: { channel: string; value: number; timestamp?: number | string };
  timestamp: string;
  channel: string;
}

export interface Figures {
  count: number;
  sum: number;
  min: number;
  max: number;
  average: number;
}

/** scada.batch.processed and scada.aggregated.updated: figures of each sensor in a window that ends at `timestamp`. */
export interface FiguresEvent {
  data: Record<string, Figures>;
  timestamp: string;
  channel: string;
  batchId: string;
}

export interface Status {
  rate: { asked: number; reached: number };
  accepted: number;
  queue: { jobs?: number; readings?: number; failed_jobs?: number };
  sensors: number;
  faults: { sensor: string; fault: string; since: number }[];
}

export interface Alarm {
  id: number;
  sensor: string;
  kind: string;
  text: string;
  value: number;
  raised: number;
  cleared: number | null;
}

export interface FailedJob {
  job: string;
  readings: number;
  tries: number;
  failed: number;
  error: string;
}
