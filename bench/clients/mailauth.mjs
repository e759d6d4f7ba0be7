// Process: mailauth's `getPolicy()`, which asks for the record and one address, and fetches from that.
import { promises as dns } from 'node:dns';
import { getPolicy } from 'mailauth/lib/mta-sts.js';
import { run } from './client.mjs';
import { ADDRESSES } from '../world.mjs';

dns.setServers([ADDRESSES.recursive]);

await run(async (domain) => (await getPolicy(domain)).status === 'found');
