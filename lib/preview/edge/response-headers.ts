// Reads and applies response headers policies of CloudFront: the managed policy for security headers, and those of the template.
import type { Properties } from '../assembly/evaluated';
import { isHeader } from './http-header';

/** A header that a policy adds. */
interface PolicyHeader {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
  /** Whether it replaces a header of the origin. */
  readonly override: boolean;
}

/** The changes of a policy to every response of its behaviour. */
export interface ResponseHeadersPolicy {
  readonly remove: readonly string[];
  readonly add: readonly PolicyHeader[];
}

/** Managed policies as AWS documents them, by id. The ids are the same in every account. */
export const MANAGED_POLICIES: ReadonlyMap<string, ResponseHeadersPolicy> = new Map([
  // SecurityHeadersPolicy
  ['67f7725c-6f97-4210-82d7-5512b31e9d03', {
    remove: [],
    add: [
      { name: 'referrer-policy', value: 'strict-origin-when-cross-origin', override: false },
      { name: 'strict-transport-security', value: 'max-age=31536000', override: false },
      { name: 'x-content-type-options', value: 'nosniff', override: true },
      { name: 'x-frame-options', value: 'SAMEORIGIN', override: false },
      { name: 'x-xss-protection', value: '1; mode=block', override: false },
    ],
  }],
]);

/**
 * Reads an `AWS::CloudFront::ResponseHeadersPolicy`. It ignores CORS and Server-Timing, which depend on the viewer.
 *
 * @param config - the property `ResponseHeadersPolicyConfig`
 */
export function readResponseHeadersPolicy(config: Properties): ResponseHeadersPolicy {
  const security = config.member('SecurityHeadersConfig');
  const add: PolicyHeader[] = [];
  const addHeader = (name: string, setting: Properties, value: string | undefined): void => {
    if (!setting.exists() || value === undefined) return;
    if (isHeader(name, value)) add.push({ name: name.toLowerCase(), value, override: setting.member('Override').isTrue() });
    else setting.note('is not a valid HTTP header. It is left out');
  };
  const policy = security.member('ContentSecurityPolicy');
  addHeader('content-security-policy', policy, policy.member('ContentSecurityPolicy').text());
  addHeader('x-content-type-options', security.member('ContentTypeOptions'), 'nosniff');
  const frame = security.member('FrameOptions');
  addHeader('x-frame-options', frame, frame.member('FrameOption').text());
  const referrer = security.member('ReferrerPolicy');
  addHeader('referrer-policy', referrer, referrer.member('ReferrerPolicy').text());
  const transport = security.member('StrictTransportSecurity');
  addHeader('strict-transport-security', transport, formatTransportSecurity(transport));
  const xss = security.member('XSSProtection');
  addHeader('x-xss-protection', xss, formatXssProtection(xss));
  for (const item of config.member('CustomHeadersConfig').member('Items').items()) {
    const name = item.member('Header').required();
    if (name !== undefined) addHeader(name, item, item.member('Value').text());
  }
  return {
    remove: config.member('RemoveHeadersConfig').member('Items').items().map((item) => (item.member('Header').text() ?? '').toLowerCase()),
    add,
  };
}

/** Applies a policy in the order of CloudFront: first removes headers, then adds headers. */
export function applyPolicy(headers: Map<string, string | string[]>, policy: ResponseHeadersPolicy): void {
  for (const name of policy.remove) headers.delete(name);
  for (const { name, value, override } of policy.add) {
    if (override || !headers.has(name)) headers.set(name, value);
  }
}

function formatTransportSecurity(setting: Properties): string {
  return [
    `max-age=${setting.member('AccessControlMaxAgeSec').text() ?? '0'}`,
    ...setting.member('IncludeSubdomains').isTrue() ? ['includeSubDomains'] : [],
    ...setting.member('Preload').isTrue() ? ['preload'] : [],
  ].join('; ');
}

function formatXssProtection(setting: Properties): string {
  const report = setting.member('ReportUri').text();
  return [
    setting.member('Protection').isTrue() ? '1' : '0',
    ...setting.member('ModeBlock').isTrue() ? ['mode=block'] : [],
    ...report === undefined ? [] : [`report=${report}`],
  ].join('; ');
}
