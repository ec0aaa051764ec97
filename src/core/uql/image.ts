// The access of operations to images. An operation is pure and images are not in memory: reading an image that is not
// loaded throws ImagesWanted, the engine loads it, and the step is planned again.

export interface ImageWant {
  /** A received file, Roboflow's `{"type":"base64","value":…}`, or base64 text. */
  image: unknown;
  form: { kind: 'size' } | { kind: 'jpeg'; quality: number };
}

export interface Images {
  /** The size in pixels. Throws ImagesWanted until the image is loaded, and ImageFault if it cannot be read. */
  size(image: unknown): { width: number; height: number };
  /** The image as a JPEG file, with a quality from 1 to 100. Throws as `size` does. */
  jpeg(image: unknown, quality: number): Uint8Array;
}

/** Not a fault: the request of a pure operation for images that must be loaded first. */
export class ImagesWanted extends Error {
  readonly wants: readonly ImageWant[];

  constructor(wants: readonly ImageWant[]) {
    super('images must be loaded before this step can be planned');
    this.wants = wants;
  }
}

/** The image cannot be read: it is damaged, too large, or not an image. */
export class ImageFault extends Error {}

/** The images of a step's first plan: none is loaded. */
export const unloadedImages: Images = {
  size(image) {
    throw new ImagesWanted([{ image, form: { kind: 'size' } }]);
  },
  jpeg(image, quality) {
    throw new ImagesWanted([{ image, form: { kind: 'jpeg', quality } }]);
  },
};
