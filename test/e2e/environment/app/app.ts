// The app that scenarios deploy: the name of its stack and its context.

export const STACK = 'MtaSts-example-test';

/** CDK context of a deployment. */
export interface AppContext {
  readonly mode: 'enforce' | 'testing' | 'none';
  /** @default mx1.example.test */
  readonly mx?: string;
  /** @default - the construct's own */
  readonly maxAgeDays?: number;
}

/** Address in the TLSRPT record of the app. */
export const TLS_REPORTING = 'mailto:tls-reports@example.test';

/** Returns the `-c` arguments for a deployment of bin/app.ts. */
export function contextArguments(zoneId: string, { mode, mx = 'mx1.example.test', maxAgeDays }: AppContext): readonly string[] {
  return contextOptions({
    domain: 'example.test', mx, mode, hostedZoneId: zoneId, tlsReporting: TLS_REPORTING,
    ...maxAgeDays !== undefined && { maxAgeDays: String(maxAgeDays) },
  });
}

/** Returns context as arguments of the CDK command: `-c domain=example.test`. */
export function contextOptions(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
