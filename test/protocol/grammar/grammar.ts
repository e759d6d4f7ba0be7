// An oracle that shares no code with lib/: the ABNF of RFC 8461 §3.1 and §3.2 and of RFC 8460 §3, and the rules of the text of the RFCs.
import { grammar } from './abnf';

/** The grammar of RFC 8461 §3.1. */
export const RECORD = grammar(`
name      = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")
value     = 1*(%x21-3A / %x3C / %x3E-7E)
extension = name "=" value
id-value  = 1*32(ALPHA / DIGIT)
id        = %s"id=" id-value
delimiter = *WSP ";" *WSP
version   = %s"v=STSv1"
record    = version 1*(delimiter (id / extension)) [delimiter]
`);

/** The grammar of RFC 8461 §3.2, with `Domain` of RFC 5321 §4.1.2 and the characters of RFC 3629 §4. */
export const POLICY = grammar(`
tail       = %x80-BF
UTF8-2     = %xC2-DF tail
UTF8-3     = %xE0 %xA0-BF tail / %xE1-EC 2tail / %xED %x80-9F tail / %xEE-EF 2tail
UTF8-4     = %xF0 %x90-BF 2tail / %xF1-F3 3tail / %xF4 %x80-8F 2tail
visible    = %x21-7E / UTF8-2 / UTF8-3 / UTF8-4
value      = visible [*(SP / visible) visible]
name       = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")
colon      = ":" *WSP
field      = name colon value
line       = field *WSP
term       = LF / CRLF
policy     = line *(term line) [term]
version-value = %s"STSv1"
mode-value    = %s"testing" / %s"enforce" / %s"none"
age-value     = 1*10DIGIT
let-dig    = ALPHA / DIGIT
ldh        = *(ALPHA / DIGIT / "-") let-dig
sub-domain = let-dig [ldh]
domain     = sub-domain *("." sub-domain)
mx-value   = ["*."] domain
`);

/**
 * The grammar of RFC 8460 §3, with `URI` of RFC 3986 for the two schemes, without the three characters that must be encoded. A `mailto`
 * (RFC 6068 §2) has one address here, because a comma must be encoded.
 */
export const TLS_RPT = grammar(`
unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~"
encoded    = "%" HEXDIG HEXDIG
sub-delims = "$" / "&" / "'" / "(" / ")" / "*" / "+" / "="
pchar      = unreserved / encoded / sub-delims / ":" / "@"
path       = *("/" *pchar)
query      = *(pchar / "/" / "?")
octet      = "25" %x30-35 / "2" %x30-34 DIGIT / "1" 2DIGIT / %x31-39 DIGIT / DIGIT
IPv4       = octet "." octet "." octet "." octet
h16        = 1*4HEXDIG
ls32       = h16 ":" h16 / IPv4
IPv6       = 6(h16 ":") ls32
             / "::" 5(h16 ":") ls32
             / [h16] "::" 4(h16 ":") ls32
             / [*1(h16 ":") h16] "::" 3(h16 ":") ls32
             / [*2(h16 ":") h16] "::" 2(h16 ":") ls32
             / [*3(h16 ":") h16] "::" h16 ":" ls32
             / [*4(h16 ":") h16] "::" ls32
             / [*5(h16 ":") h16] "::" h16
             / [*6(h16 ":") h16] "::"
IPvFuture  = "v" 1*HEXDIG "." 1*(unreserved / sub-delims / ":")
host       = "[" (IPv6 / IPvFuture) "]" / 1*(unreserved / encoded / sub-delims)
nodot      = ALPHA / DIGIT / "-" / "_" / "~" / "%2" (DIGIT / %x41-44 / "F") / sub-delims / ":"
dot        = "." / "%2E"
segment    = 1*(nodot / "/")
userinfo   = *(unreserved / encoded / sub-delims / ":")
port       = *DIGIT
https      = "https://" [userinfo "@"] host [":" port] path ["?" query] ["#" query]
local      = ("/" / ["/"] nodot *(nodot / "/")) *(dot segment)
atom       = 1*(ALPHA / DIGIT / "-" / "_" / "~" / "$" / "&" / "'" / "*" / "+" / "=" / "/")
mailto     = "mailto:" local "@" atom *("." atom) ["?" query] ["#" query]
uri        = https / mailto
rua-value  = uri *(*WSP "," *WSP uri)
rua        = %s"rua=" rua-value
name       = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")
value      = 1*(%x21-3A / %x3C / %x3E-7E)
extension  = name "=" value
delimiter  = *WSP ";" *WSP
version    = %s"v=TLSRPTv1"
record     = version 1*(delimiter (rua / extension)) [delimiter]
`);

const record = RECORD('record');
const idValue = RECORD('id-value');

/** Reads the only TXT record of a name by RFC 8461 §3.1. */
export function recordOracle(text: string): { readonly id: string } | undefined {
  if (!record.matches(text)) return undefined;
  // "all entries except for the first SHALL be ignored" (§3.2, last paragraph), so a second id does not replace a malformed first one.
  const id = firstOf(text, 'id');
  return id !== undefined && idValue.matches(id) ? { id } : undefined;
}

/** Reads several TXT records: records that do not begin with the version and a semicolon are dropped, and one must be left. */
export function recordsOracle(texts: readonly string[]): { readonly id: string } | undefined {
  const candidates = texts.length === 1 ? texts : texts.filter((text) => text.startsWith('v=STSv1;'));
  const [only, ...others] = candidates;
  return only !== undefined && others.length === 0 ? recordOracle(only) : undefined;
}

const tlsRpt = TLS_RPT('record');
const ruaValue = TLS_RPT('rua-value');

/** Reads one TXT record by RFC 8460 §3, which has no rule for a second `rua`: all of them count. */
export function tlsRptOracle(text: string): { readonly rua: readonly string[] } | undefined {
  if (!tlsRpt.matches(text)) return undefined;
  const lists = fieldsOf(text).filter(([name]) => name === 'rua').map(([, value]) => value);
  // The grammar accepts a malformed list as an extension, and any port. The reader refuses both.
  if (lists.length === 0 || lists.some((list) => !ruaValue.matches(list))) return undefined;
  const rua = lists.flatMap((list) => list.split(/[ \t]*,[ \t]*/));
  return rua.some((uri) => Number(PORT.exec(uri)?.[1] ?? 0) > 65535) ? undefined : { rua };
}

const PORT = /^https:\/\/(?:[^/?#@]*@)?(?:\[[^\]]*\]|[^/?#:]*):([0-9]*)/i;

const policyFile = POLICY('policy');
const versionValue = POLICY('version-value');
const modeValue = POLICY('mode-value');
const ageValue = POLICY('age-value');
const mxValue = POLICY('mx-value');
const LINE = new RegExp(`^(${POLICY('name').source})${POLICY('colon').source}(${POLICY('value').source})[ \\t]*$`, 's');

/** Content of a policy file, with `mx` in the order of the file. */
export interface OraclePolicy {
  readonly mode: string;
  readonly maxAge: number;
  readonly mx: readonly string[];
}

/** Reads a policy file by RFC 8461 §3.2. The text has one character for each byte. */
export function policyOracle(file: string): OraclePolicy | undefined {
  if (file.length > 65536 || !policyFile.matches(file)) return undefined;
  const fields = file.replace(/\r?\n$/, '').split(/\r?\n/).map((line) => {
    const [, name = '', value = ''] = LINE.exec(line) ?? [];
    return { name, value };
  });
  const first = (name: string): string => fields.find((field) => field.name === name)?.value ?? '';
  const mx = fields.filter(({ name }) => name === 'mx').map(({ value }) => value);
  const mode = first('mode');
  const age = first('max_age');
  const valid = versionValue.matches(first('version')) && modeValue.matches(mode) && ageValue.matches(age)
    && Number(age) <= 31557600 && mx.every(isPattern) && (mx.length > 0 || mode === 'none');
  return valid ? { mode, maxAge: Number(age), mx } : undefined;
}

/** Returns whether a text is an mx pattern. Adds to the ABNF the lengths of RFC 1035 §2.3.4, and refuses IPv4 addresses. */
export function isPattern(text: string): boolean {
  if (!mxValue.matches(text)) return false;
  const labels = text.replace(/^\*\./, '').split('.');
  const address = labels.length === 4 && labels.every((label) => /^[0-9]{1,3}$/.test(label) && Number(label) < 256);
  return labels.join('.').length <= 253 && labels.every((label) => label.length <= 63) && !address;
}

/** Returns whether a pattern covers a host by RFC 8461 §4.1, label by label. */
export function matchOracle(pattern: string, host: string): boolean {
  const name = host.replace(/\.$/, '');
  if (!isPattern(pattern) || !isPattern(name) || name.startsWith('*')) return false;
  const [wanted, found] = [pattern.toLowerCase().split('.'), name.toLowerCase().split('.')];
  return wanted.length === found.length && wanted.every((label, at) => label === found[at] || (at === 0 && label === '*'));
}

function firstOf(text: string, name: string): string | undefined {
  return fieldsOf(text).find((field) => field[0] === name)?.[1];
}

/** Returns the names and values of a record that matches the grammar. */
function fieldsOf(text: string): readonly (readonly [string, string])[] {
  return text.replace(/[ \t]*;[ \t]*$/, '').split(/[ \t]*;[ \t]*/).slice(1).map((field) => {
    const equals = field.indexOf('=');
    return [field.slice(0, equals), field.slice(equals + 1)];
  });
}
