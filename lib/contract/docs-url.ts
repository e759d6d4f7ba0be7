// Addresses of documentation pages in messages.

/** Pages and headings that messages name, below `docs/`. */
export const DOCUMENTATION_PAGES = ['guide/external-dns.md#a-zone-in-another-account'] as const;

/** A page that messages name. */
export type DocumentationPage = typeof DOCUMENTATION_PAGES[number];

/** Returns the address of a page below `docs/`. */
export function docsUrl(page: DocumentationPage): string {
  return `https://github.com/cdk-mta-sts/cdk-mta-sts/blob/main/docs/${page}`;
}
