// v7/consensus_stage@v1: V7's Consensus Stage: compares the annotations of parallel stages. On agreement the item takes one
// edge with the champion's annotations, else the other, for example to a review.

import type { Fault } from '../../core/fault.ts';
import { asPayload } from '../shared/payload-setting.ts';
import { steps } from '../shared/property-schemas.ts';
import type { StepContext, StepOutcome, StepType } from '../step-type.ts';
import { type Consensus, findConsensus } from './consensus/consensus.ts';
import { Effort, TooMuchEffort } from './consensus/effort.ts';
import { givenPayload, NO_PAYLOAD } from './given-payload.ts';
import { AnnotationFault, MAX_ANNOTATIONS, readStage, type StageAnnotations } from './stage-annotations.ts';
import { leaveBy, NAME, refuse } from './stage-end.ts';

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

/** A third of a second on a small machine; it blocks everything else meanwhile. */
const MAX_STEPS = 12_000_000;

const IOU = { type: 'number', minimum: 0, maximum: 1 };

export const consensusStage: StepType<ConsensusStageManifest> = {
  type: 'v7/consensus_stage@v1',
  summary: "V7's Consensus Stage: whether parallel stages annotated an item alike, by their intersection over union.",
  nulls: 'take',
  mayLoop: true,
  properties: {
    parallel_stages: {
      type: 'array',
      minItems: 2,
      maxItems: 10,
      description: `what is compared, each with up to ${MAX_ANNOTATIONS} annotations: a list, a typed payload, or Roboflow's detections`,
      items: { type: 'object', required: ['name'], additionalProperties: false, properties: { name: NAME, annotations: {} } },
    },
    champion_stage: { ...NAME, description: 'must name the stage whose annotations are kept' },
    threshold: { ...IOU, description: 'the least intersection over union at which annotations agree' },
    iou_thresholds: { type: 'object', additionalProperties: IOU, description: 'the same for classes of their own, by class' },
    payload: { default: '$request.payload', description: 'with `split_by`: the typed payload that the stages are parts of' },
    split_by: { enum: ['annotator'], description: 'the stages are annotators of one payload, named by their e-mail addresses' },
    on_agreement: steps('what runs next where all agree'),
    on_disagreement: steps('what runs next where they do not'),
  },
  required: ['parallel_stages', 'champion_stage', 'threshold'],
  findFaults: (manifest) => [...nameFaults(manifest), ...sourceFaults(manifest)],
  outputs: () => ['agreed', 'iou', 'classes', 'annotations', 'champion', 'not_compared'],
  plan(manifest, context) {
    try {
      const effort = new Effort(MAX_STEPS);
      const stages = readStages(manifest, context, effort);
      const { threshold, iou_thresholds: thresholds = {} } = manifest;
      const looks = stages.map(({ name, comparable }) => ({ name, annotations: comparable }));
      const thresholdOf = (className: string): number =>
        Object.hasOwn(thresholds, className) ? (thresholds[className] as number) : threshold;
      return leave(manifest, stages, findConsensus(looks, thresholdOf, effort));
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
  const payload = asPayload(givenPayload(manifest, context));
  if (payload === null) throw new AnnotationFault(`payload ${NO_PAYLOAD}`);
  if (!payload.has_annotations) throw new AnnotationFault('payload came without annotations');
  return parallel.map(({ name }) => {
    const own = payload.predictions.filter(({ annotators }) => annotators.some(({ email }) => email === name));
    return { name, ...readStage(`the annotations of ${name}`, own, effort) };
  });
}

function leave(manifest: ConsensusStageManifest, stages: readonly Stage[], { agreed, iou, classes }: Consensus): StepOutcome {
  const { champion_stage: champion, on_agreement: onAgreement = [], on_disagreement: onDisagreement = [] } = manifest;
  const annotations = stages.find(({ name }) => name === champion)?.items ?? null;
  if (annotations === null) throw new AnnotationFault(`champion_stage must be one of the parallel stages, and is ${champion}`);
  const notCompared = stages.reduce((count, { items, comparable }) => count + items.length - comparable.length, 0);
  const outputs = { agreed, iou, classes, annotations, champion, not_compared: notCompared };
  return leaveBy(agreed ? onAgreement : onDisagreement, outputs);
}

function nameFaults({ parallel_stages: stages, champion_stage: champion }: ConsensusStageManifest): Fault[] {
  const names = stages.map(({ name }) => name);
  const faults = names.flatMap((name, index): Fault[] =>
    names.indexOf(name) === index ? [] : [{ path: `parallel_stages[${index}].name`, message: `"${name}" is the name of another stage` }],
  );
  if (names.includes(champion)) return faults;
  return [...faults, { path: 'champion_stage', message: `must be one of the parallel stages: ${names.join(', ')}` }];
}

/** Each stage has its own annotations, or one payload contains those of all. */
function sourceFaults({ parallel_stages: stages, payload, split_by: splitBy }: ConsensusStageManifest): Fault[] {
  const faults = stages.flatMap((stage, index): Fault[] => {
    const path = `parallel_stages[${index}]`;
    if (splitBy === undefined) {
      return stage.annotations === undefined ? [{ path, message: 'field "annotations" is missing; or give "split_by": "annotator"' }] : [];
    }
    return stage.annotations === undefined ? [] : [{ path, message: 'must not have annotations beside "split_by"' }];
  });
  if (payload === undefined || splitBy !== undefined) return faults;
  return [...faults, { path: 'payload', message: 'is of no use without "split_by": "annotator"' }];
}
