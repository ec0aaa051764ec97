// The list of samples: one generated request for each kind of payload.

import { roboflowFormSample, roboflowJsonSample, roboflowMultipartSample } from './roboflow-sample.ts';
import { robovisionSample } from './robovision-sample.ts';
import { DEFAULT_SAMPLE, type Sample, type SampleOptions, type SampleRequest } from './sample.ts';
import { v7EventSample, v7LegacySample, v7StageSample } from './v7-sample.ts';

const MAKERS = {
  'robovision.object_detection': (options) => robovisionSample('object_detection', options),
  'robovision.image_classification': (options) => robovisionSample('image_classification', options),
  'robovision.multilabel_classification': (options) => robovisionSample('multilabel_classification', options),
  'robovision.instance_segmentation': (options) => robovisionSample('instance_segmentation', options),
  'robovision.semantic_segmentation': (options) => robovisionSample('semantic_segmentation', options),
  'v7.stage': v7StageSample,
  'v7.legacy_stage': v7LegacySample,
  'v7.workflow_complete': v7EventSample,
  'roboflow.json': roboflowJsonSample,
  'roboflow.form': roboflowFormSample,
  'roboflow.multipart': roboflowMultipartSample,
} satisfies Record<string, (options: SampleOptions) => SampleRequest>;

export type SampleKind = keyof typeof MAKERS;

export const sampleKinds = Object.keys(MAKERS) as readonly SampleKind[];

/** The same options give the same bytes. */
export function makeSample(kind: SampleKind, options: Partial<SampleOptions> = {}): Sample {
  return { kind, ...MAKERS[kind]({ ...DEFAULT_SAMPLE, ...options }) };
}
