// JSON Pointers (RFC 6901).

/** `/steps/2/values/a~1b` */
export function pointerOf(keys: readonly (string | number)[]): string {
  return keys.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
