// Response headers policies of CloudFront: the managed one for security headers, and those of the template.
import type { Properties } from '../assembly/evaluated';
import { isHeader } from './http-header';

/** One header that a policy adds. */
export interface PolicyHeader {
  /** Lower case. */
  readonly name: string;
  readonly value: string;
  /** Whether it wins over the origin's own. */
  readonly override: boolean;
}

/** What a policy does to every response of its behaviour. */
export interface ResponseHeadersPolicy {
  readonly remove: readonly string[];
  readonly add: readonly PolicyHeader[];
}

/** What AWS documents of its managed policies: the ids are the same in every account. */
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
 * The policy of an `AWS::CloudFront::ResponseHeadersPolicy`. CORS and Server-Timing depend on the viewer and are left out.
 *
 * @param config - its `ResponseHeadersPolicyConfig`
 */
export function readResponseHeadersPolicy(config: Properties): ResponseHeadersPolicy {
  const security = config.in('SecurityHeadersConfig');
  const add: PolicyHeader[] = [];
  const header = (name: string, setting: Properties, value: string | undefined): void => {
    if (!setting.exists() || value === undefined) return;
    if (isHeader(name, value)) add.push({ name: name.toLowerCase(), value, override: setting.in('Override').isTrue() });
    else setting.note('is a header that HTTP cannot carry; it is left out');
  };
  const policy = security.in('ContentSecurityPolicy');
  header('content-security-policy', policy, policy.in('ContentSecurityPolicy').text());
  header('x-content-type-options', security.in('ContentTypeOptions'), 'nosniff');
  const frame = security.in('FrameOptions');
  header('x-frame-options', frame, frame.in('FrameOption').text());
  const referrer = security.in('ReferrerPolicy');
  header('referrer-policy', referrer, referrer.in('ReferrerPolicy').text());
  const transport = security.in('StrictTransportSecurity');
  header('strict-transport-security', transport, transportSecurity(transport));
  const xss = security.in('XSSProtection');
  header('x-xss-protection', xss, xssProtection(xss));
  for (const item of config.in('CustomHeadersConfig').in('Items').items()) {
    const name = item.in('Header').required();
    if (name !== undefined) header(name, item, item.in('Value').text());
  }
  return {
    remove: config.in('RemoveHeadersConfig').in('Items').items().map((item) => (item.in('Header').text() ?? '').toLowerCase()),
    add,
  };
}

/** Removes first, then adds: in CloudFront's order. */
export function applyPolicy(headers: Map<string, string | string[]>, policy: ResponseHeadersPolicy): void {
  for (const name of policy.remove) headers.delete(name);
  for (const { name, value, override } of policy.add) {
    if (override || !headers.has(name)) headers.set(name, value);
  }
}

function transportSecurity(setting: Properties): string {
  return [
    `max-age=${setting.in('AccessControlMaxAgeSec').text() ?? '0'}`,
    ...setting.in('IncludeSubdomains').isTrue() ? ['includeSubDomains'] : [],
    ...setting.in('Preload').isTrue() ? ['preload'] : [],
  ].join('; ');
}

function xssProtection(setting: Properties): string {
  const report = setting.in('ReportUri').text();
  return [
    setting.in('Protection').isTrue() ? '1' : '0',
    ...setting.in('ModeBlock').isTrue() ? ['mode=block'] : [],
    ...report === undefined ? [] : [`report=${report}`],
  ].join('; ');
}
