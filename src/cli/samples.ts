// The payloads of platforms that `sluice send` can make: their names, what may be asked of them, and who makes them.

import { ExitError, FAILED } from './exit-error.ts';

export const sampleKinds: readonly string[] = [
  'robovision:object-detection',
  'robovision:image-classification',
  'robovision:multilabel-classification',
  'robovision:instance-segmentation',
  'robovision:semantic-segmentation',
  'v7:stage',
  'v7:legacy-stage',
  'v7:workflow-complete',
  'roboflow:json',
  'roboflow:form',
  'roboflow:multipart',
];

export interface SampleOptions {
  /** The same seed makes the same sample. */
  seed: number;
  objects: number;
  image: boolean;
  annotations: boolean;
  width: number;
  height: number;
}

export interface Sample {
  contentType: 'application/json' | 'application/x-www-form-urlencoded' | 'multipart/form-data';
  /** Of a multipart form. */
  parts: readonly SamplePart[];
  /** Of the other two. */
  body?: Uint8Array;
}

export interface SamplePart {
  name: string;
  filename: string | null;
  content_type: string | null;
  bytes: Uint8Array;
}

export type MakeSample = (kind: string, options: SampleOptions) => Sample | Promise<Sample>;

/** Loaded only when a sample is asked for. */
export async function loadMakeSample(): Promise<MakeSample> {
  throw new ExitError('this version has no samples yet', FAILED);
}
