// Checks headers from a template or its function, so that none can split a response.
import { validateHeaderName, validateHeaderValue } from 'node:http';

/** Returns whether HTTP allows a header (RFC 9110 §5.5). Node.js makes the same check before it sends one. */
export function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}
