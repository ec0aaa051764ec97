// The form in which loaded images pass to another thread.

import { ImageFault, type Images, ImagesWanted, type ImageWant } from '../../core/uql/image.ts';
import { imageIdentity, readImageSource } from '../../core/uql/image-source.ts';

type Loaded = { value: { width: number; height: number } | Uint8Array } | { fault: string };

export interface CarriedImage {
  want: ImageWant;
  loaded: Loaded;
}

/** Every want must be loaded. */
export function packImages(images: Images, wants: readonly ImageWant[]): CarriedImage[] {
  return wants.map((want) => ({ want, loaded: load(images, want) }));
}

function load(images: Images, { image, form }: ImageWant): Loaded {
  try {
    return { value: form.kind === 'size' ? images.size(image) : images.jpeg(image, form.quality) };
  } catch (error) {
    if (error instanceof ImageFault) return { fault: error.message };
    throw error;
  }
}

export function unpackImages(carried: readonly CarriedImage[]): Images {
  const known = new Map(carried.map(({ want, loaded }) => [nameOf(want), loaded]));
  const take = (want: ImageWant): unknown => {
    const loaded = known.get(nameOf(want));
    if (loaded === undefined) throw new ImagesWanted([...carried.map((image) => image.want), want]);
    if ('fault' in loaded) throw new ImageFault(loaded.fault);
    return loaded.value;
  };
  return {
    size: (image) => take({ image, form: { kind: 'size' } }) as { width: number; height: number },
    jpeg: (image, quality) => take({ image, form: { kind: 'jpeg', quality } }) as Uint8Array,
  };
}

function nameOf({ image, form }: ImageWant): string {
  const source = readImageSource(image);
  if (source === null) throw new ImageFault('this is not an image');
  return `${form.kind === 'size' ? 'size' : form.quality} ${imageIdentity(source)}`;
}
