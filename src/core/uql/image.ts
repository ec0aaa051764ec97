// Images as workflows hold them, and what operations want of them. An operation is pure and an image is not in memory:
// the first look at one throws ImagesWanted, the engine loads what is wanted, and the step is planned again.

export interface ImageWant {
  /** A received file, Roboflow's `{"type":"base64","value":…}`, or base64 text. */
  image: unknown;
  form: { kind: 'size' } | { kind: 'jpeg'; quality: number };
}

export interface Images {
  /** In pixels. Throws ImagesWanted until it is loaded, and ImageFault when the image cannot be read. */
  size(image: unknown): { width: number; height: number };
  /** The image as JPEG, quality 1 to 100. Throws as `size` does. */
  jpeg(image: unknown, quality: number): Uint8Array;
}

/** Not an error: the one way for a pure operation to say what it must be given first. */
export class ImagesWanted extends Error {
  readonly wants: readonly ImageWant[];

  constructor(wants: readonly ImageWant[]) {
    super('images must be loaded before this step can be planned');
    this.wants = wants;
  }
}

/** The image cannot be read: its bytes are damaged, too large, or no image. */
export class ImageFault extends Error {}

/** For the first plan of a step, when nothing is loaded yet. */
export const unloadedImages: Images = {
  size(image) {
    throw new ImagesWanted([{ image, form: { kind: 'size' } }]);
  },
  jpeg(image, quality) {
    throw new ImagesWanted([{ image, form: { kind: 'jpeg', quality } }]);
  },
};
