// What a sample is: a request as a platform sends it, as a value that is the same for the same options.

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
  /** How many things there are to be found. */
  objects: number;
  /** Whether the image comes with it, where the kind has one. */
  image: boolean;
  /** Whether annotations come with it, where the kind can do without. */
  annotations: boolean;
  width: number;
  height: number;
  /** How many numbers a V7 stage's raster layer holds; 0 for no raster layer. */
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
