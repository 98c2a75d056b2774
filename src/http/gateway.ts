/** A gateway inside the user's network through which every answer and every file is fetched. */
import { configuration } from "../configuration.js";
import { InvalidParameterError } from "../errors.js";
import { logger } from "../logger.js";

export interface Gateway {
  /** Without a slash at its end. */
  readonly address: string;
  /** For HttpRequest.plainHttpTo: who names a gateway without TLS has decided so. */
  readonly host: string;
}

/** @throws InvalidParameterError when the text is no address */
export function parseGateway(text: string): Gateway {
  const address = (text.includes("://") ? text : `http://${text}`).replace(/\/+$/, "");
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    throw new InvalidParameterError("SECURE_GATEWAY is not the address of a gateway. Write it like https://gateway.example/path.", {
      parameter: "secureGateway",
    });
  }
  return { address, host: new URL(address).host };
}

let warned = false;

/** The gateway that the settings name, or null. */
export function configuredGateway(): Gateway | null {
  const { secureGateway, licenseServer } = configuration().api;
  if (secureGateway === "" && licenseServer !== "" && !warned) {
    warned = true;
    logger().warn("LICENSE_SERVER is deprecated and will not be read much longer. Rename it to SECURE_GATEWAY.");
  }
  const text = secureGateway || licenseServer;
  return text === "" ? null : parseGateway(text);
}

/** The address to ask instead; one that leads through the gateway already stays as it is. */
export function throughGateway(url: string, gateway: Gateway | null): string {
  if (gateway === null) return url;
  const prefix = `${gateway.address}/proxy?url=`;
  return url.startsWith(prefix) ? url : prefix + encodeURIComponent(url);
}
