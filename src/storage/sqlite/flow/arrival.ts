// What flow control decides about a run that arrives.

import type { FlowSetting } from '../../../core/sink/limits/flow-setting.ts';
import type { CreateRunResult } from '../../runs/run-records.ts';
import type { OpenBatch } from './batches.ts';

type Refusal = Extract<CreateRunResult, { kind: 'refused' }>;

/** A run that arrives. */
export interface Arriving {
  sinkNo: number;
  key: string;
  /** Of its request, if a batch may have it. Null: it is a run of its own. */
  batchBytes: number | null;
  now: number;
}

/** The decision about an arriving run. `untracked`: its sink has no flow control any more. */
export type Arrival = Refusal | Collected | Entry;
/** An open batch has its request from now on. */
export type Collected = { kind: 'collect'; batch: OpenBatch; isLast: boolean };
export type Entry =
  | { kind: 'untracked' | 'drop' | 'skip' | 'start' | 'hold'; key: string; flow: FlowSetting | null }
  /** It begins a batch. `full`: the open one, which has no space for it. */
  | { kind: 'open'; key: string; seconds: number; bytes: number; full: OpenBatch | undefined };
