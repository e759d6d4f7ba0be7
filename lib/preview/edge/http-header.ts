// Whether HTTP can carry a header: what a template or its function says must not split a response.
import { validateHeaderName, validateHeaderValue } from 'node:http';

/** By the grammar of RFC 9110 §5.5, as Node.js checks it before it sends. */
export function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}
