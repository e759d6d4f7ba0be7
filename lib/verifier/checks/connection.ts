// Lists the codes of a connection, to the policy host or to a mail host.
import type { LiveFindingKind } from '../../protocol/findings/kind';

export const CONNECTION_FINDINGS = {
  'address-not-public': {
    severity: 'error',
    area: 'policy-host',
    meaning: 'An address in DNS is not public: loopback, link-local, private or reserved. It was not connected to.',
    impact: 'Senders on the Internet cannot reach it, or reach a machine of their own.',
    fix: 'publish public addresses alone; to verify a network of your own on purpose, give `--allow-private`',
    reference: 'RFC 6890 §2.2',
  },
  'address-family-unusable': {
    severity: 'unknown',
    area: 'policy-host',
    meaning: 'This machine has no route to the addresses of one family.',
    impact: 'Whether the host answers there is not known.',
    fix: 'verify from a machine with both address families',
    reference: 'RFC 8461 §3.3',
  },
  'tls-cipher-uncommon': {
    severity: 'warning',
    area: 'policy-host',
    meaning: 'The server accepts only TLS 1.2 cipher suites that many clients do not offer any more, such as those with RSA key exchange.',
    impact: 'Senders written in Go cannot connect: they read no policy from such a policy host, and deliver no mail to such a mail host while they enforce a policy.',
    fix: 'allow TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20-Poly1305',
    reference: 'RFC 9325 §4.1 and §4.2',
  },
  'local-fault': {
    severity: 'unknown',
    area: 'policy-host',
    temporary: true,
    meaning: 'This machine could not open a connection: it lacks a resource, or its own firewall forbids the connection.',
    impact: 'Whether the server answers there is not known.',
    fix: 'allow more open files (`ulimit -n`) or lower `--concurrency`, and check the firewall of this machine',
    reference: 'RFC 8461 §3.3',
  },
  'not-reached': {
    severity: 'unknown',
    area: 'policy-file',
    temporary: true,
    meaning: 'The verification ran out of time before this was decided.',
    impact: 'The verification says nothing about this part.',
    fix: 'allow more time, and find out which server was slow',
    reference: 'RFC 8461 §3.3',
  },
  'internal-fault': {
    severity: 'unknown',
    area: 'policy-host',
    temporary: true,
    meaning: 'This program failed while it read the response of a server. The bug is in the verifier, not in the domain.',
    impact: 'The state of the server is not known.',
    fix: 'try again; if it stays so, report it to the project with this message and its evidence',
    reference: 'RFC 8461 §3.3',
  },
} as const satisfies Record<string, LiveFindingKind>;
