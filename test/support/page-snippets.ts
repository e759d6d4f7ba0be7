// Returns the TypeScript snippets of a page, each as a whole module.
import { dirname, join } from 'node:path';
import { codeBlocks } from './markdown';
import type { Snippet } from './snippets';

const ROOT = join(__dirname, '..', '..');

/** A snippet and its place in the documentation. */
export interface PageSnippet extends Snippet {
  readonly page: string;
  readonly line: number;
  /** Headings above the snippet, from the title of the page to the nearest one. */
  readonly headings: readonly string[];
  /** True for a snippet that a user pastes into an app; false for code of this repository. */
  readonly forUsers: boolean;
}

/**
 * Returns the snippets of a page.
 *
 * A snippet that begins with the path of a file of this repository as a comment (`// lib/verifier/checks/new.ts`) is code
 * for contributors: the compiler sees it as a file in that folder. Any other snippet is code for users.
 */
export function pageSnippets(page: string): PageSnippet[] {
  return codeBlocks(page).filter(({ language }) => language === 'ts').map(({ code, line, headings }) => {
    const place = /^\/\/ ((?:[\w.-]+\/)+[\w.-]+\.ts)(?:\n|$)/.exec(code)?.[1];
    const name = `snippet-${page.replace(/\W+/g, '-')}-${line}.ts`;
    return {
      page, line, headings, forUsers: place === undefined,
      file: join(ROOT, place === undefined ? '' : dirname(place), name),
      source: place === undefined ? module(code) : `${code}\nexport {};`,
    };
  });
}

/** Returns a recipe as a module, with the stack, the hosted zone, the bucket for logs and the certificate that its page assumes. */
function module(snippet: string): string {
  return snippet.startsWith('import ')
    ? `${snippet}\nexport {};`
    : `import {
  App, Aspects, Duration, RemovalPolicies, RemovalPolicy, Stack, Tags, Validations, aws_certificatemanager as acm, aws_cloudfront as cloudfront,
  aws_iam as iam, aws_kms as kms, aws_logs as logs, aws_route53 as route53, aws_s3 as s3,
} from 'aws-cdk-lib';
import { DelegatedMtaSts, MtaSts, MtaStsDomains, MtaStsPolicy, MxHosts, PolicyHost, TlsReporting, Verification, ZohoDataCenter } from 'cdk-mta-sts';
export function run(this: Stack, hostedZone: route53.IHostedZone, accessLogBucket: s3.IBucket, certificate: acm.ICertificate): void {
  // A separate block, so that a snippet can declare these names again.
  {
${snippet}
  }
}`;
}
