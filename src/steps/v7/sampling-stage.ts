// v7/sampling_stage@v1: V7's Sampling Stage: a random draw chooses the edges. Draws are independent, so 20 per cent of 100
// items may be 17. A repeated plan has the same draw.

import type { Fault } from '../../core/fault.ts';
import { steps } from '../shared/property-schemas.ts';
import type { StepType } from '../step-type.ts';
import { leaveBy, NAME } from './stage-end.ts';

interface Edge {
  name?: string;
  percent: number;
  next_steps: readonly string[];
}

interface SamplingStageManifest {
  edges: readonly Edge[];
  mode?: 'split' | 'independent';
  else?: readonly string[];
}

/** Tolerance for percents whose sum differs from 100 by float rounding, as 33.3, 33.3 and 33.4. */
const ROUNDING = 1e-9;

export const samplingStage: StepType<SamplingStageManifest> = {
  type: 'v7/sampling_stage@v1',
  summary: "V7's Sampling Stage: a random draw chooses the edges that an item takes.",
  mayLoop: true,
  properties: {
    edges: {
      type: 'array',
      minItems: 1,
      maxItems: 100,
      description: 'the edges that an item can take, each with its share of the items',
      items: {
        type: 'object',
        required: ['percent', 'next_steps'],
        additionalProperties: false,
        properties: {
          name: NAME,
          percent: { type: 'number', minimum: 0, maximum: 100 },
          next_steps: steps('the steps to run next'),
        },
      },
    },
    mode: {
      enum: ['split', 'independent'],
      default: 'split',
      description: '`split`: one draw for all edges, so that an item takes at most one; `independent`: one draw for each edge',
    },
    else: steps('the steps to run for an item that takes no edge; without any, the branch ends'),
  },
  required: ['edges'],
  findFaults: ({ edges, mode = 'split' }) => (mode === 'split' ? sumFaults(edges) : []),
  outputs: () => ['edges', 'draw'],
  plan({ edges, mode = 'split', else: otherwise = [] }, context) {
    const draw = mode === 'split' ? context.random() * 100 : edges.map(() => context.random() * 100);
    const taken = typeof draw === 'number' ? splitBy(draw, edges) : edges.filter(({ percent }, index) => (draw[index] as number) < percent);
    const next = taken.length === 0 ? otherwise : taken.flatMap((edge) => edge.next_steps);
    return leaveBy(next, { edges: taken.map((edge) => edge.name ?? edges.indexOf(edge)), draw });
  },
};

/** The edges divide 0 to 100 into consecutive ranges. */
function splitBy(draw: number, edges: readonly Edge[]): Edge[] {
  let end = 0;
  for (const edge of edges) {
    end += edge.percent;
    if (draw < end) return [edge];
  }
  return [];
}

function sumFaults(edges: readonly Edge[]): Fault[] {
  const sum = edges.reduce((total, { percent }) => total + percent, 0);
  if (sum <= 100 + ROUNDING) return [];
  const message = `the percents of all edges must add up to at most 100, but add up to ${Number(sum.toFixed(6))}; with "mode": "independent" each edge has its own draw`;
  return [{ path: 'edges', message }];
}
