// The flow control of the sinks of the simulation.

import type { FlowSetting } from '../../../src/core/sink/limits/flow-setting.ts';
import { sinkOf } from './workflows.ts';

const PLAIN: FlowSetting = { maxConcurrent: null, orderingKey: null, overflow: 'queue', queueLimit: 1000, debounce: null };
const BY_CAMERA = '$request.body.camera';

/** By the id of the sink. */
export const FLOWS: ReadonlyMap<string, FlowSetting> = new Map(
  Object.entries<Partial<FlowSetting>>({
    'one-at-a-time': { maxConcurrent: 1, queueLimit: 6 },
    'in-order': { orderingKey: BY_CAMERA },
    'two-in-order': { maxConcurrent: 2, orderingKey: BY_CAMERA },
    'newest-held': { maxConcurrent: 1, orderingKey: BY_CAMERA, overflow: 'latest_wins' },
    debounced: { maxConcurrent: 1, orderingKey: BY_CAMERA, debounce: { seconds: 1.5, maxSeconds: 4 } },
    dropping: { maxConcurrent: 2, overflow: 'drop' },
    collecting: { batch: { size: 3, seconds: 2.5, key: BY_CAMERA } },
    cooling: { cooldown: { seconds: 4, key: BY_CAMERA } },
    refusing: { maxConcurrent: 1, overflow: 'reject' },
  }).map(([id, flow]) => [sinkOf(id), { ...PLAIN, ...flow }]),
);

/** By the id of the sink, how its workflow gets its inputs. A batch has no values by name. */
export const MAPPINGS: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map([
  [sinkOf('collecting'), Object.fromEntries(['n', 'seconds', 'camera', 'text'].map((name) => [name, `$request.body.0.${name}`]))],
]);
