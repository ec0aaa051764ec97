// What a look at an image file shows: a fault, in words that follow the name of the file, or its size in pixels.

export interface ImageSize {
  width: number;
  height: number;
}

export type ImageInspection = { fault: string } | ({ fault: null } & ImageSize);
