/** What can go wrong on the way, as errors of this package. */
import { InvalidParameterError, RetryError } from "../errors.js";
import { printableUrl } from "./addresses.js";

/** Failures with a cause that a user can do something about. */
const EXPLANATIONS: Readonly<Record<string, string>> = {
  ENOTFOUND: "the name of the host is not known; check the address, the network and the proxy",
  EAI_AGAIN: "the name server does not answer; check the network",
  ECONNREFUSED: "nothing listens there; check the address and port",
  ECONNRESET: "the connection was cut",
  UND_ERR_SOCKET: "the connection was cut",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the answer was cut off",
  UND_ERR_CONNECT_TIMEOUT: "no connection in the time allowed",
  UND_ERR_HEADERS_TIMEOUT: "no answer in the time allowed",
  UND_ERR_BODY_TIMEOUT: "the answer stalled for longer than allowed",
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is not trusted; name its authority with NODE_EXTRA_CA_CERTS",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate is not trusted; name its authority with NODE_EXTRA_CA_CERTS",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's certificate is not trusted; name its authority with NODE_EXTRA_CA_CERTS",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the server's certificate is not trusted; name its authority with NODE_EXTRA_CA_CERTS",
};

function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

/** The request itself is malformed: trying again would not help. */
const OWN_FAULTS = ["UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED", "ERR_INVALID_URL"];

/** Errors of DNS, TCP, TLS, timeouts and cut connections: worth another try. */
export function networkFailure(error: unknown, url: string | URL): RetryError | InvalidParameterError {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  if (OWN_FAULTS.includes(code)) {
    return new InvalidParameterError(`The request to ${printableUrl(url)} cannot be made (${text}). Check the headers given.`, {
      parameter: "headers",
      cause: error,
    });
  }
  const why = EXPLANATIONS[code] ?? (text === "" ? code : text);
  return new RetryError(`${printableUrl(url)} could not be reached, or did not finish its answer: ${why}.`, {
    cause: error,
    isRetryable: true,
  });
}
