import { configuration } from "../../configuration.js";
import { logger } from "../../logger.js";

const HOSTS = {
  us: { production: "https://api.roboflow.com", staging: "https://api.roboflow.one" },
  eu: { production: "https://api.roboflow.eu", staging: "https://api.roboflow-eu.one" },
} as const;

/** Address of the API by the settings: ROBOFLOW_API_HOST, else by region and environment. Without a slash at its end. */
export function apiHost(): string {
  const { host, region, environment } = configuration().api;
  if (host !== "") return host.replace(/\/+$/, "");
  const stage = environment.toLowerCase() === "prod" ? "production" : "staging";
  const name = region.trim().toLowerCase();
  if (name === "us" || name === "eu") return HOSTS[name][stage];
  logger().warn(`ROBOFLOW_REGION is "${region.slice(0, 40)}", which is neither "us" nor "eu"; "us" is used.`);
  return HOSTS.us[stage];
}
