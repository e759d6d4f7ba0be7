// The three functions of the Reflect metadata proposal that the container inside @peculiar/x509 needs; import it before that library.

type Key = unknown;

/** The proposal's functions, as far as they are used. */
interface MetadataReflection {
  getPrototypeOf: (target: object) => object | null;
  defineMetadata?: (key: Key, value: unknown, target: object) => void;
  getOwnMetadata?: (key: Key, target: object) => unknown;
  getMetadata?: (key: Key, target: object) => unknown;
}

/** Adds the functions to a `Reflect`, unless a full implementation is there already. */
export function provideMetadata(reflect: MetadataReflection): void {
  if (reflect.getMetadata !== undefined) return;
  const metadata = new WeakMap<object, Map<Key, unknown>>();
  const own = (key: Key, target: object): unknown => metadata.get(target)?.get(key);
  reflect.defineMetadata = (key, value, target) => {
    metadata.set(target, new Map(metadata.get(target)).set(key, value));
  };
  reflect.getOwnMetadata = own;
  reflect.getMetadata = (key, target) => {
    for (let at: object | null = target; at !== null; at = reflect.getPrototypeOf(at)) {
      if (metadata.get(at)?.has(key) === true) return own(key, at);
    }
    return undefined;
  };
}

provideMetadata(Reflect);
