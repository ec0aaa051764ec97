// Reads `video_metadata` of an image that is a video frame. Images of webhooks rarely have it, so each field may be
// missing or have any type.

function videoMetadata(image: unknown): Record<string, unknown> {
  const metadata = isObject(image) ? image['video_metadata'] : null;
  return isObject(metadata) ? metadata : {};
}

/** The namespace of a video's memory. */
export function videoIdentifier(image: unknown): string {
  const identifier = videoMetadata(image)['video_identifier'];
  return typeof identifier === 'string' ? identifier : 'default';
}

/** The time of the frame, in ms since the start of the video, or null. */
export function frameTime(image: unknown): number | null {
  const { fps, frame_number: frameNumber } = videoMetadata(image);
  const ms = (Number(frameNumber ?? Number.NaN) / Number(fps ?? Number.NaN)) * 1000;
  return Number.isFinite(ms) ? ms : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
