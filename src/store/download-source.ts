/** What a download address names, without the parts that only allow it to be read for a while. */
import { hashContent } from "./canonical-json.js";

/** Any of these makes an address a signed one. */
const SIGNATURES = ["x-goog-signature", "x-amz-signature", "awsaccesskeyid", "googleaccessid", "sig", "signature"];

const PROVIDERS = ["x-goog-", "x-amz-"].flatMap((prefix) =>
  ["algorithm", "credential", "date", "expires", "signedheaders", "security-token"].map((name) => prefix + name),
);
const AZURE = "sv ss srt sp se st spr sr sip ses sdd skoid sktid skt ske sks skv saoid suoid scid".split(" ");
const AUTHENTICATION = new Set([...SIGNATURES, ...PROVIDERS, ...AZURE, "expires", "policy", "key-pair-id"]);

/** Address and query; the address stays as it is written, since another spelling would be another name. */
function split(url: string): { readonly address: string; readonly query: string } {
  const withoutFragment = url.split("#", 1)[0] ?? "";
  const mark = withoutFragment.indexOf("?");
  return mark < 0
    ? { address: withoutFragment, query: "" }
    : { address: withoutFragment.slice(0, mark), query: withoutFragment.slice(mark + 1) };
}

/** Whether the address carries a signature, and so stops working after a while. */
export function isSignedUrl(url: string): boolean {
  return [...new URLSearchParams(split(url).query).keys()].some((name) => SIGNATURES.includes(name.toLowerCase()));
}

/** The address without signature, expiry and the like, its query sorted; an unsigned address as it is. */
export function canonicalDownloadSource(url: string): string {
  if (!isSignedUrl(url)) return url;
  const { address, query } = split(url);
  const kept = [...new URLSearchParams(query)].filter(([name]) => !AUTHENTICATION.has(name.toLowerCase()));
  kept.sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : Number(x > y)));
  // The two characters that Python writes the other way round; the hash of the result is shared with its cache.
  const rest = new URLSearchParams(kept).toString().replaceAll("*", "%2A").replaceAll("%7E", "~");
  return rest === "" ? address : `${address}?${rest}`;
}

/** Identity of a file that nobody published a hash of: where it comes from. */
export function sourceHash(url: string): string {
  return hashContent({ download_source: canonicalDownloadSource(url) });
}
