// Process: looks domains up with mailauth's `getPolicy()`, which asks for the record and one address, and fetches from that address.
import { promises as dns } from 'node:dns';
import { getPolicy } from 'mailauth/lib/mta-sts.js';
import { ADDRESSES } from '../domains.mjs';
import { run } from './client.mjs';

dns.setServers([ADDRESSES.recursive]);

await run(async (domain) => (await getPolicy(domain)).status === 'found');
