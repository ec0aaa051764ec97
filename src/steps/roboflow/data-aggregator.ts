// roboflow_core/data_aggregator@v1: aggregates values over runs, and outputs the result after each interval.

import { encodeStored } from '../../core/json/stored-value.ts';
import { OperationFault } from '../../core/uql/operations/operation-fault.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import { integer, operationChains, selectors } from '../shared/property-schemas.ts';
import { readInteger } from '../shared/setting-values.ts';
import type { StepType } from '../step-type.ts';
import { AGGREGATIONS, type Aggregation, aggregate, resultOf } from './parts/aggregation.ts';
import { chainFaults, type OperationsByName, transformValues, type Values } from './parts/named-operations.ts';

interface DataAggregatorManifest {
  data: Values;
  data_operations?: OperationsByName;
  aggregation_mode: Readonly<Record<string, readonly Aggregation[]>>;
  interval: unknown;
  interval_unit?: Unit;
}

const SECONDS = { seconds: 1, minutes: 60, hours: 3600 } as const;
const UNITS = ['seconds', 'minutes', 'hours', 'runs'] as const;
type Unit = (typeof UNITS)[number];

/** The values since the last report. */
interface Gathered {
  started_at: number;
  runs: number;
  /** By name of the output. */
  states: Readonly<Record<string, unknown>>;
}

/** The memory is rewritten with every run. */
const MAX_GATHERED_CHARACTERS = 1_000_000;

export const dataAggregator: StepType<DataAggregatorManifest> = {
  type: 'roboflow_core/data_aggregator@v1',
  summary: 'Aggregates values over the runs of a sink: outputs sums, averages, counts and the like at the end of each interval.',
  properties: {
    data: selectors('the values to aggregate, by name'),
    data_operations: operationChains('operations on values before they are aggregated, by name'),
    aggregation_mode: {
      type: 'object',
      description: `for each value a list of ${AGGREGATIONS.join(', ')}; each adds an output, such as <name>_sum, which is null until the interval ends`,
      additionalProperties: { type: 'array', items: { enum: [...AGGREGATIONS] } },
    },
    interval: integer('the length of an interval, in `interval_unit`', { minimum: 1 }),
    interval_unit: { enum: [...UNITS], default: 'seconds', description: 'the unit of the interval' },
  },
  required: ['data', 'aggregation_mode', 'interval'],
  ignoresUnknown: true,
  findFaults: ({ data, data_operations: chains }) => chainFaults('data_operations', chains, data),
  outputs: (manifest) => outputsOf(manifest).map(({ output }) => output),
  memoryKey: (_manifest, { step }) => `data_aggregator:${step}`,
  plan: (manifest, context) =>
    withOperations(() => {
      const { data, data_operations: chains = {}, interval, interval_unit: unit = 'seconds' } = manifest;
      const values = transformValues(data, chains, context);
      const { started_at: startedAt, runs, states } = gatheredBefore(context.memory, context.now);
      const outputs = outputsOf(manifest);
      const gathered = mapOutputs(outputs, ({ output, name, mode }) => aggregate(mode, states[output], values[name]));
      const length = unit === 'runs' ? runs + 1 : (context.now - startedAt) / 1000 / SECONDS[unit];
      if (length < readInteger('interval', interval)) {
        const remember: Gathered = { started_at: startedAt, runs: runs + 1, states: gathered };
        refuseTooLarge(remember);
        return { kind: 'completed', outputs: mapOutputs(outputs, () => null), remember };
      }
      return {
        kind: 'completed',
        outputs: mapOutputs(outputs, ({ output, mode }) => resultOf(mode, gathered[output])),
        remember: { started_at: context.now, runs: 0, states: {} } satisfies Gathered,
      };
    }),
};

interface Output {
  output: string;
  name: string;
  mode: Aggregation;
}

function outputsOf({ data, aggregation_mode: modes }: DataAggregatorManifest): Output[] {
  return Object.keys(data).flatMap((name) => {
    const ofValue = Object.hasOwn(modes, name) ? (modes[name] ?? []) : [];
    return [...new Set(ofValue)].map((mode) => ({ output: `${name}_${mode}`, name, mode }));
  });
}

function mapOutputs(outputs: readonly Output[], map: (output: Output) => unknown): Record<string, unknown> {
  return Object.fromEntries(outputs.map((output) => [output.output, map(output)]));
}

function gatheredBefore(memory: unknown, now: number): Gathered {
  const gathered = (memory as Gathered | null) ?? { started_at: now, runs: 0, states: {} };
  // A clock that was set back must not delay the report until it catches up.
  return { ...gathered, started_at: Math.min(gathered.started_at, now) };
}

function refuseTooLarge(gathered: Gathered): void {
  if (encodeStored(gathered).length <= MAX_GATHERED_CHARACTERS) return;
  throw new OperationFault(
    'OperationError',
    `the aggregated values take more than ${MAX_GATHERED_CHARACTERS} characters: use a shorter interval, or count values instead of keeping them`,
  );
}
