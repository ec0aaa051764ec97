// Loads the images that operations want, outside of the core: bytes from blobs or base64, size and JPEG by sharp.

import sharp, { type Sharp } from 'sharp';
import { ImageFault, type Images, ImagesWanted, type ImageWant } from '../core/image.ts';
import { type ImageSource, imageIdentity, readImageSource } from '../core/image-source.ts';
import { decodeBase64 } from './decode-base64.ts';

export interface ImageLoader {
  /** Never rejects for a bad image: looking at it throws ImageFault. All else that goes wrong rejects. */
  load(wants: readonly ImageWant[]): Promise<Images>;
}

export interface ImageLoaderOptions {
  /** Of a file that this run received: a handle in a run's data is text that anyone could have written. */
  readBlob(sha256: string): Promise<Uint8Array>;
  maxBytes?: number;
  maxPixels?: number;
}

type Size = { width: number; height: number };
type Loaded<Value> = { value: Value } | { fault: ImageFault };

const MAX_BYTES = 100 * 1024 * 1024;
const MAX_PIXELS = 100_000_000;

export function createImageLoader({ readBlob, maxBytes = MAX_BYTES, maxPixels = MAX_PIXELS }: ImageLoaderOptions): ImageLoader {
  async function bytesOf(source: ImageSource): Promise<Uint8Array> {
    if (source.kind === 'url') throw new ImageFault('images are not fetched from a URL: send the bytes, as a file or as base64');
    if (source.kind === 'base64' && source.text.length > maxBytes * 2) throw tooManyBytes(maxBytes);
    const bytes = source.kind === 'file' ? await readBlob(source.sha256) : decodeBase64(source.text);
    if (bytes.length > maxBytes) throw tooManyBytes(maxBytes);
    return bytes;
  }

  return {
    async load(wants) {
      const sizes = new Map<string, Loaded<Size>>();
      const jpegs = new Map<string, Loaded<Uint8Array>>();
      // One after the other: decoded, an image can take a hundred times its file.
      for (const { image, form } of wants) {
        const source = readImageSource(image);
        if (source === null) throw new TypeError('an image was wanted that is none');
        const key = imageIdentity(source);
        const open = async (): Promise<Sharp> => openImage(await bytesOf(source), maxPixels);
        if (form.kind === 'size') sizes.set(key, sizes.get(key) ?? (await attempt(async () => readSize(await open(), maxPixels))));
        else jpegs.set(jpegKey(key, form.quality), await attempt(async () => encodeJpeg(await open(), form.quality)));
      }
      return loadedImages(sizes, jpegs);
    },
  };
}

function tooManyBytes(maxBytes: number): ImageFault {
  return new ImageFault(`the image has more than ${maxBytes} bytes`);
}

function jpegKey(identity: string, quality: number): string {
  return `${quality} ${identity}`;
}

function loadedImages(sizes: ReadonlyMap<string, Loaded<Size>>, jpegs: ReadonlyMap<string, Loaded<Uint8Array>>): Images {
  return {
    size: (image) => take(sizes.get(identityOf(image)), { image, form: { kind: 'size' } }),
    jpeg: (image, quality) => take(jpegs.get(jpegKey(identityOf(image), quality)), { image, form: { kind: 'jpeg', quality } }),
  };
}

function identityOf(image: unknown): string {
  const source = readImageSource(image);
  if (source === null) throw new ImageFault('this is no image');
  return imageIdentity(source);
}

function take<Value>(loaded: Loaded<Value> | undefined, want: ImageWant): Value {
  if (loaded === undefined) throw new ImagesWanted([want]);
  if ('fault' in loaded) throw loaded.fault;
  return loaded.value;
}

async function attempt<Value>(read: () => Promise<Value>): Promise<Loaded<Value>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (error instanceof ImageFault) return { fault: error };
    throw error;
  }
}

/** Turned upright by what its camera noted, as OpenCV reads images. */
function openImage(bytes: Uint8Array, maxPixels: number): Sharp {
  return sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error' }).autoOrient();
}

async function readSize(image: Sharp, maxPixels: number): Promise<Size> {
  const { autoOrient } = await unlessUnreadable(image.metadata());
  if (autoOrient.width * autoOrient.height > maxPixels) throw new ImageFault(`the image has more than ${maxPixels} pixels`);
  return autoOrient;
}

async function encodeJpeg(image: Sharp, quality: number): Promise<Uint8Array> {
  return unlessUnreadable(image.flatten({ background: '#000' }).jpeg({ quality }).toBuffer());
}

/** sharp's errors are about the image's bytes, which is all that it is given. */
async function unlessUnreadable<Result>(result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    throw new ImageFault(`the image cannot be read: ${error instanceof Error ? error.message.split('\n')[0] : 'unknown reason'}`);
  }
}
