// The types of a sample: a request in a platform's form, determined by its options.

export interface SamplePart {
  name: string;
  /** Null for a form field. */
  filename: string | null;
  contentType: string | null;
  bytes: Uint8Array;
}

export type SampleRequest =
  | { contentType: 'application/json' | 'application/x-www-form-urlencoded'; body: Uint8Array }
  | { contentType: 'multipart/form-data'; parts: SamplePart[] };

export type Sample = SampleRequest & { kind: string };

export interface SampleOptions {
  seed: number;
  /** How many objects the image shows. */
  objects: number;
  /** Whether to include the image, if the kind has one. */
  image: boolean;
  /** Whether to include annotations, if the kind can do without them. */
  annotations: boolean;
  width: number;
  height: number;
  /** The number of values in the raster layer of a V7 stage; 0 for no raster layer. */
  rle: number;
}

export const DEFAULT_SAMPLE: Readonly<SampleOptions> = {
  seed: 1,
  objects: 3,
  image: true,
  annotations: true,
  width: 640,
  height: 480,
  rle: 0,
};

const UTF8 = new TextEncoder();

export function textBytes(text: string): Uint8Array {
  return UTF8.encode(text);
}

export function jsonBytes(value: unknown): Uint8Array {
  return textBytes(JSON.stringify(value));
}
