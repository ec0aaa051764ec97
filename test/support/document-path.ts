// Writes a value into a JSON document at a path as presets name it: `event.id`, `0.type`, `value.*.token`.

/** Returns the document with the value. A number and `*` make a list; `*` makes one of two items. */
export function withValueAt(document: unknown, path: string, value: (item: number) => unknown, item = 0): unknown {
  if (path === '') return value(item);
  const [key = '', ...rest] = path.split('.');
  const inner = rest.join('.');
  if (key === '*') return [0, 1].map((position) => withValueAt(undefined, inner, value, position));
  if (/^\d+$/.test(key)) {
    const list = Array.isArray(document) ? [...(document as unknown[])] : [];
    list[Number(key)] = withValueAt(list[Number(key)], inner, value, item);
    return list;
  }
  const object = (document ?? {}) as Record<string, unknown>;
  return { ...object, [key]: withValueAt(object[key], inner, value, item) };
}
