// What an image may say of the video that it is a frame of: `video_metadata` beside its value. Images of webhooks
// rarely say any, so that all of it may be missing or of any kind.

function videoMetadata(image: unknown): Record<string, unknown> {
  const metadata = isObject(image) ? image['video_metadata'] : null;
  return isObject(metadata) ? metadata : {};
}

/** What keeps the memories of several videos apart. */
export function videoIdentifier(image: unknown): string {
  const identifier = videoMetadata(image)['video_identifier'];
  return typeof identifier === 'string' ? identifier : 'default';
}

/** When the frame is shown, in ms since the video's beginning, or null. */
export function frameTime(image: unknown): number | null {
  const { fps, frame_number: frameNumber } = videoMetadata(image);
  const ms = (Number(frameNumber ?? Number.NaN) / Number(fps ?? Number.NaN)) * 1000;
  return Number.isFinite(ms) ? ms : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
