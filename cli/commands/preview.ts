// `mta-sts preview`: serves a synthesized app on loopback, as CloudFront and Route 53 would after a deployment.
import type { Command } from 'commander';
import type { Preview, PreviewOptions } from '../../lib/preview';
import { safeText } from '../../lib/util/safe-text';
import { argumentParser, parseAddress, parseMxHost, parsePort, repeatedArgumentParser } from '../input/arguments';
import type { Context } from '../context';
import { readInput } from '../input/file';
import { outputOption, resultFormatOption } from '../output/options';
import type { PrintOptions } from '../output/options';
import { printResults } from '../output/print-results';
import { OutputError } from '../output/sinks';

interface PreviewFlags extends PrintOptions {
  readonly app: string;
  readonly listen: string;
  readonly httpsPort?: number;
  readonly dnsPort?: number;
  readonly tlsKey?: string;
  readonly tlsCert?: string;
  readonly mx?: PreviewOptions['mx'];
  readonly verify?: true;
}

/** Adds the command to the program. */
export function addPreview(program: Command, context: Context): void {
  program.command('preview')
    .description('serve the policy hosts and DNS records of a synthesized CDK app on this machine, and verify them as a sender does')
    .option('--app <folder>', 'the cloud assembly that `cdk synth` wrote', 'cdk.out')
    .option('--listen <address>', 'IP address to listen on', argumentParser(parseAddress), '127.0.0.1')
    .option('--https-port <port>', 'port of the policy hosts (default: any free one)', argumentParser(parsePort))
    .option('--dns-port <port>', 'port of the DNS server (default: any free one)', argumentParser(parsePort))
    .option('--tls-key <file>', 'private key in PEM (default: generated, with a certificate of a private CA)')
    .option('--tls-cert <file>', 'certificate in PEM, with its intermediate certificates')
    .option('--mx <host=address>', 'an MX host of the domains; may be given several times (default: hosts that the policy covers)', repeatedArgumentParser(parseMxHost))
    .option('--verify', 'verify the domains and end with the exit status of the verification')
    .addOption(resultFormatOption())
    .addOption(outputOption())
    .action(async (flags: PreviewFlags, command: Command) => {
      const tls = await readTls(flags, context, command);
      if (flags.verify !== true) refuseResultOptions(flags, command);
      const preview = await start(flags, tls, context, command);
      try {
        await (flags.verify === true ? verify(preview, flags, context, command) : serve(preview, context));
      } finally {
        await preview.close();
      }
    });
}

function refuseResultOptions({ format, output }: PreviewFlags, command: Command): void {
  if (format !== 'text') command.error(`error: \`--format ${format}\` is for results; add \`--verify\``);
  if (output !== undefined) command.error('error: `--output` is for results; add `--verify`');
}

async function verify(preview: Preview, flags: PreviewFlags, { io, end }: Context, command: Command): Promise<void> {
  const { verifyPreview } = await import('../../lib/preview');
  // Name everything that the preview leaves out, so that it does not pass as verified.
  for (const note of previewNotes(preview)) io.stderr.write(`mta-sts: ${note}\n`);
  if (preview.domains.length === 0) command.error(`error: ${safeText(preview.app)} publishes no policy, so there is nothing to verify`);
  try {
    end(await printResults(verifyPreview(preview), flags, io));
  } catch (error) {
    if (error instanceof OutputError) command.error(`error: ${error.message}`);
    throw error;
  }
}

function previewNotes({ notes, mx }: Preview): readonly string[] {
  if (mx.every(({ origin }) => origin !== 'policy')) return notes;
  return [...notes, 'the MX hosts are taken from the policy itself; give the real ones with `--mx`, such as `--mx mx1.example.com=127.0.0.1`'];
}

async function serve(preview: Preview, { io }: Context): Promise<void> {
  const { howToQuery } = await import('../../lib/preview');
  // Listen before the text is written: a reader may interrupt at once.
  const interrupted = io.interrupted();
  io.stdout.write(`${howToQuery(preview)}\nCtrl-C ends it.\n`);
  await interrupted;
}

async function start(flags: PreviewFlags, tls: PreviewOptions['tls'], { io }: Context, command: Command): Promise<Preview> {
  const { startPreview, PreviewError } = await import('../../lib/preview');
  const { app, listen, httpsPort, dnsPort, mx, verify: isVerifying } = flags;
  const log = (line: string): void => {
    // Do not log the requests of the verifier, only why one of them failed.
    if (isVerifying !== true || line.startsWith('the edge function ')) io.stderr.write(`${line}\n`);
  };
  try {
    return await startPreview({ app, listen, httpsPort, dnsPort, mx, tls, log });
  } catch (error) {
    // The user can fix a PreviewError. Any other error is a bug of ours.
    if (error instanceof PreviewError) return command.error(`error: ${error.message}`);
    throw error;
  }
}

async function readTls({ tlsKey, tlsCert }: PreviewFlags, { io }: Context, command: Command): Promise<PreviewOptions['tls']> {
  if (tlsKey === undefined && tlsCert === undefined) return undefined;
  if (tlsKey === undefined || tlsCert === undefined) {
    return command.error(`error: \`--tls-key\` and \`--tls-cert\` belong together; \`${tlsKey === undefined ? '--tls-key' : '--tls-cert'}\` is missing`);
  }
  const [key, cert] = [await readInput(tlsKey, io.stdin), await readInput(tlsCert, io.stdin)];
  if ('problem' in key) return command.error(`error: ${key.problem}`);
  if ('problem' in cert) return command.error(`error: ${cert.problem}`);
  return { key: Buffer.from(key.bytes).toString(), cert: Buffer.from(cert.bytes).toString() };
}
