// Memoizes values derived from definitions, which are the same objects in every run of a planned workflow.

/** Memoizes `make`, which must be pure, by argument identity. A result lives as long as its argument. */
export function memoizeByIdentity<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, { value: Value }>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known.value;
    const value = make(key);
    made.set(key, { value });
    return value;
  };
}
