// Loads images for operations, outside of the core: reads bytes from blobs or base64, and gets size and JPEG from sharp.

import sharp, { type Sharp } from 'sharp';
import { ImageFault, type Images, ImagesWanted, type ImageWant } from '../core/uql/image.ts';
import { type ImageSource, imageIdentity, readImageSource } from '../core/uql/image-source.ts';
import { createSerialQueue, type SerialQueue } from '../core/values/serial-queue.ts';
import type { MemoryAccount } from '../memory-budget.ts';
import { decodeBase64 } from './decode-base64.ts';

export interface ImageLoader {
  /** Does not reject for a bad image: using it throws ImageFault. Rejects for all other errors. */
  load(wants: readonly ImageWant[]): Promise<Images>;
}

export interface ImageLoaderOptions {
  /** Throws ImageFault for a file that this run did not receive: a body may contain the hash of any file. */
  readBlob(sha256: string): Promise<Uint8Array>;
  /** Shared by all loaders of a process: a decoded image can be a hundred times larger than its file. */
  serially?: SerialQueue;
  /** Accounts for the pixels of an image while it is converted. */
  memory?: MemoryAccount;
  maxBytes?: number;
  maxPixels?: number;
}

type Size = { width: number; height: number };
type Loaded<Value> = { value: Value } | { fault: ImageFault };

const MAX_BYTES = 100 * 1024 * 1024;
/** More than one shot of any phone or industrial camera; converting them takes about a second and 200 MB. */
const MAX_PIXELS = 64_000_000;
/** Per pixel while an image is converted. */
const PIXEL_BYTES = 4;

export function createImageLoader(options: ImageLoaderOptions): ImageLoader {
  const { serially = createSerialQueue() } = options;
  return { load: (wants) => serially(() => load(wants, options)) };
}

async function load(wants: readonly ImageWant[], options: ImageLoaderOptions): Promise<Images> {
  const sizes = new Map<string, Loaded<Size>>();
  const jpegs = new Map<string, Loaded<Uint8Array>>();
  for (const { image, form } of wants) {
    const source = readImageSource(image);
    if (source === null) throw new TypeError('a wanted image is not an image');
    const key = imageIdentity(source);
    if (form.kind === 'size') sizes.set(key, sizes.get(key) ?? (await attempt(async () => (await open(source, options)).size)));
    else {
      const jpegKey = jpegKeyOf(key, form.quality);
      jpegs.set(jpegKey, jpegs.get(jpegKey) ?? (await attempt(() => convert(source, form.quality, options))));
    }
  }
  return loadedImages(wants, sizes, jpegs);
}

async function convert(source: ImageSource, quality: number, options: ImageLoaderOptions): Promise<Uint8Array> {
  const { image, size } = await open(source, options);
  const bytes = size.width * size.height * PIXEL_BYTES;
  options.memory?.reserveAnyway(bytes);
  try {
    return await encodeJpeg(image, quality);
  } finally {
    options.memory?.release(bytes);
  }
}

async function open(
  source: ImageSource,
  { readBlob, maxBytes = MAX_BYTES, maxPixels = MAX_PIXELS }: ImageLoaderOptions,
): Promise<OpenImage> {
  if (source.kind === 'url') throw new ImageFault('images are not fetched from a URL: send the bytes, as a file or as base64');
  if (source.kind === 'base64' && source.text.length > maxBytes * 2) throw tooManyBytes(maxBytes);
  const bytes = source.kind === 'file' ? await readBlob(source.sha256) : decodeBase64(source.text);
  if (bytes.length > maxBytes) throw tooManyBytes(maxBytes);
  return await openImage(bytes, maxPixels);
}

function tooManyBytes(maxBytes: number): ImageFault {
  return new ImageFault(`the image has more than ${maxBytes} bytes`);
}

function jpegKeyOf(identity: string, quality: number): string {
  return `${quality} ${identity}`;
}

/** A missing image is requested together with the loaded ones, so that the next load has all images of the step. */
function loadedImages(
  wants: readonly ImageWant[],
  sizes: ReadonlyMap<string, Loaded<Size>>,
  jpegs: ReadonlyMap<string, Loaded<Uint8Array>>,
): Images {
  const take = <Value>(loaded: Loaded<Value> | undefined, want: ImageWant): Value => {
    if (loaded === undefined) throw new ImagesWanted([...wants, want]);
    if ('fault' in loaded) throw loaded.fault;
    return loaded.value;
  };
  return {
    size: (image) => take(sizes.get(identityOf(image)), { image, form: { kind: 'size' } }),
    jpeg: (image, quality) => take(jpegs.get(jpegKeyOf(identityOf(image), quality)), { image, form: { kind: 'jpeg', quality } }),
  };
}

function identityOf(image: unknown): string {
  const source = readImageSource(image);
  if (source === null) throw new ImageFault('this is not an image');
  return imageIdentity(source);
}

async function attempt<Value>(read: () => Promise<Value>): Promise<Loaded<Value>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (error instanceof ImageFault) return { fault: error };
    throw error;
  }
}

interface OpenImage {
  image: Sharp;
  size: Size;
}

/** Only pixel formats: sharp would also render SVG, which is a document. */
const FORMATS = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif', 'avif'];

/** Rotated by its EXIF orientation, as OpenCV reads images. Of several pages, the first is used. */
async function openImage(bytes: Uint8Array, maxPixels: number): Promise<OpenImage> {
  const image = sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error' }).autoOrient();
  const { format, autoOrient: size } = await orImageFault(image.metadata());
  if (!FORMATS.includes(format))
    throw new ImageFault(`images in the format ${format} are not supported; supported are ${FORMATS.join(', ')}`);
  if (size.width * size.height > maxPixels) throw new ImageFault(`the image has more than ${maxPixels} pixels`);
  return { image, size };
}

/** Drops the alpha channel, which OpenCV does not read. */
async function encodeJpeg(image: Sharp, quality: number): Promise<Uint8Array> {
  return orImageFault(image.removeAlpha().toColourspace('srgb').jpeg({ quality }).toBuffer());
}

/** Errors of sharp are the image's fault: its bytes are sharp's only input. */
async function orImageFault<Result>(result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    throw new ImageFault(`the image cannot be read: ${error instanceof Error ? error.message.split('\n')[0] : 'unknown reason'}`);
  }
}
