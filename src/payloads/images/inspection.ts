// The result of inspecting an image file: a fault, worded to follow the file name, or the size in pixels.

export interface ImageSize {
  width: number;
  height: number;
}

export type ImageInspection = { fault: string } | ({ fault: null } & ImageSize);
