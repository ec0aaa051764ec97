// What is made of a definition is made once: the definitions of a planned workflow are the same objects in every run.

/** As `make`, which must be pure; its result is kept for as long as its argument is. */
export function onceByIdentity<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, { value: Value }>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known.value;
    const value = make(key);
    made.set(key, { value });
    return value;
  };
}
