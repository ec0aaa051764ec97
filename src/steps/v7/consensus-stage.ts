// v7/consensus_stage@v1: V7's Consensus Stage: compares the annotations of parallel stages. If they agree, the item takes
// one edge with the champion's annotations, else the other, for example to a review.

import type { Fault } from '../../core/fault.ts';
import { asPayload } from '../shared/payload-setting.ts';
import { steps } from '../shared/property-schemas.ts';
import type { StepContext, StepOutcome, StepType } from '../step-type.ts';
import { type Consensus, findConsensus } from './consensus/consensus.ts';
import { Effort, TooMuchEffort } from './consensus/effort.ts';
import { AnnotationFault, MAX_ANNOTATIONS, readStage, type StageAnnotations } from './stage-annotations.ts';
import { leaveBy, NAME, refuse } from './stage-end.ts';
import { NO_PAYLOAD, stagePayload } from './stage-payload.ts';

interface ParallelStage {
  name: string;
  annotations?: unknown;
}

interface ConsensusStageManifest {
  parallel_stages: readonly ParallelStage[];
  champion_stage: string;
  threshold: number;
  iou_thresholds?: Readonly<Record<string, number>>;
  payload?: unknown;
  split_by?: 'annotator';
  on_agreement?: readonly string[];
  on_disagreement?: readonly string[];
}

/** A third of a second on a small machine, during which the event loop is blocked. */
const MAX_STEPS = 12_000_000;

const IOU = { type: 'number', minimum: 0, maximum: 1 };

export const consensusStage: StepType<ConsensusStageManifest> = {
  type: 'v7/consensus_stage@v1',
  summary:
    "V7's Consensus Stage: compares the annotations of parallel stages by intersection over union, and chooses the next steps by agreement.",
  nulls: 'take',
  mayLoop: true,
  properties: {
    parallel_stages: {
      type: 'array',
      minItems: 2,
      maxItems: 10,
      description: `the stages to compare, each with up to ${MAX_ANNOTATIONS} annotations: a list, a typed payload, or Roboflow's detections`,
      items: { type: 'object', required: ['name'], additionalProperties: false, properties: { name: NAME, annotations: {} } },
    },
    champion_stage: { ...NAME, description: 'must name the stage whose annotations are kept' },
    threshold: { ...IOU, description: 'the lowest intersection over union at which annotations agree' },
    iou_thresholds: { type: 'object', additionalProperties: IOU, description: 'thresholds of single classes, by class' },
    payload: { default: '$request.payload', description: 'with `split_by`: the typed payload that contains the annotations of all stages' },
    split_by: { enum: ['annotator'], description: 'each stage is an annotator of one payload, named by e-mail address' },
    on_agreement: steps('the steps to run if all stages agree'),
    on_disagreement: steps('the steps to run if they disagree'),
  },
  required: ['parallel_stages', 'champion_stage', 'threshold'],
  findFaults: (manifest) => [...nameFaults(manifest), ...sourceFaults(manifest)],
  outputs: () => ['agreed', 'iou', 'classes', 'annotations', 'champion', 'not_compared'],
  plan(manifest, context) {
    try {
      const effort = new Effort(MAX_STEPS);
      const stages = readStages(manifest, context, effort);
      const { threshold, iou_thresholds: thresholds = {} } = manifest;
      const compared = stages.map(({ name, comparable }) => ({ name, annotations: comparable }));
      const thresholdOf = (className: string): number =>
        Object.hasOwn(thresholds, className) ? (thresholds[className] as number) : threshold;
      return leave(manifest, stages, findConsensus(compared, thresholdOf, effort));
    } catch (error) {
      if (error instanceof AnnotationFault) return refuse('invalid_annotations', error.message);
      if (error instanceof TooMuchEffort) {
        return refuse('too_many_annotations', `the annotations overlap too much to be compared within ${MAX_STEPS} steps`);
      }
      throw error;
    }
  },
};

type Stage = StageAnnotations & { name: string };

function readStages(manifest: ConsensusStageManifest, context: StepContext, effort: Effort): Stage[] {
  const { parallel_stages: parallel, split_by: splitBy } = manifest;
  if (splitBy === undefined) {
    return parallel.map(({ name, annotations }, index) => ({
      name,
      ...readStage(`parallel_stages[${index}].annotations`, annotations ?? null, effort),
    }));
  }
  const payload = asPayload(stagePayload(manifest, context));
  if (payload === null) throw new AnnotationFault(`payload ${NO_PAYLOAD}`);
  if (!payload.has_annotations) throw new AnnotationFault('payload was sent without annotations');
  return parallel.map(({ name }) => {
    const own = payload.predictions.filter(({ annotators }) => annotators.some(({ email }) => email === name));
    return { name, ...readStage(`the annotations of ${name}`, own, effort) };
  });
}

function leave(manifest: ConsensusStageManifest, stages: readonly Stage[], { agreed, iou, classes }: Consensus): StepOutcome {
  const { champion_stage: champion, on_agreement: onAgreement = [], on_disagreement: onDisagreement = [] } = manifest;
  const annotations = stages.find(({ name }) => name === champion)?.items ?? null;
  if (annotations === null) throw new AnnotationFault(`champion_stage must be one of the parallel stages, but is ${champion}`);
  const notCompared = stages.reduce((count, { items, comparable }) => count + items.length - comparable.length, 0);
  const outputs = { agreed, iou, classes, annotations, champion, not_compared: notCompared };
  return leaveBy(agreed ? onAgreement : onDisagreement, outputs);
}

function nameFaults({ parallel_stages: stages, champion_stage: champion }: ConsensusStageManifest): Fault[] {
  const names = stages.map(({ name }) => name);
  const faults = names.flatMap((name, index): Fault[] =>
    names.indexOf(name) === index
      ? []
      : [{ path: `parallel_stages[${index}].name`, message: `"${name}" is already the name of another stage` }],
  );
  if (names.includes(champion)) return faults;
  return [...faults, { path: 'champion_stage', message: `must be one of the parallel stages: ${names.join(', ')}` }];
}

/** Each stage has its own annotations, or one payload contains those of all. */
function sourceFaults({ parallel_stages: stages, payload, split_by: splitBy }: ConsensusStageManifest): Fault[] {
  const faults = stages.flatMap((stage, index): Fault[] => {
    const path = `parallel_stages[${index}]`;
    if (splitBy === undefined) {
      return stage.annotations === undefined
        ? [{ path, message: 'field "annotations" is missing; add it, or set "split_by": "annotator"' }]
        : [];
    }
    return stage.annotations === undefined ? [] : [{ path, message: 'must not have annotations if "split_by" is set' }];
  });
  if (payload === undefined || splitBy !== undefined) return faults;
  return [...faults, { path: 'payload', message: 'requires "split_by": "annotator"' }];
}
