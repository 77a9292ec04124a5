/** Values outside of components. */

import { useEffect, useState } from "preact/hooks";

/** Renders again after each change of a value that others hold. */
export function useSyncExternalValue<Value>(
  subscribe: (listener: () => void) => () => void,
  read: () => Value,
): Value {
  const [value, setValue] = useState(read);
  useEffect(() => {
    const update = () => setValue(read);
    // It may have changed between the first render and now.
    update();
    return subscribe(update);
  }, [subscribe, read]);
  return value;
}
