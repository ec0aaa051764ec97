// Measures the arguments of a storage operation: the length of all texts and bytes in them.

/** Numbers, nulls and field names do not count: each operation has a bounded number of them. */
export function bytesOfArguments(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  if (value instanceof Uint8Array) return value.byteLength;
  let bytes = 0;
  if (Array.isArray(value)) for (let index = 0; index < value.length; index += 1) bytes += bytesOfArguments(value[index]);
  else for (const field of Object.values(value)) bytes += bytesOfArguments(field);
  return bytes;
}
