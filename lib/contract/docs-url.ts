// Addresses of documentation pages in messages.

/** Pages that messages name. A test asserts that each exists. */
export type DocumentationPage = 'guide/external-dns.md#a-zone-in-another-account' | 'guide/other-regions.md' | 'troubleshooting/mail-refused.md';

/** Returns the address of a page below `docs/`. */
export function docsUrl(page: DocumentationPage): string {
  return `https://github.com/cdk-mta-sts/cdk-mta-sts/blob/main/docs/${page}`;
}
