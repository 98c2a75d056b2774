export type * from "./types.js";
export { checkUrl, printableUrl, type AddressRules } from "./addresses.js";
export { readBody, type BodyLimits } from "./body.js";
export { closeConnections } from "./connections.js";
export { configuredGateway, parseGateway, throughGateway, type Gateway } from "./gateway.js";
export { addQueryParameters } from "./query.js";
export { request } from "./request.js";
export { parseRetryAfter, retryDelaySeconds, sleep, withRetries, type RetryPolicy, type Sleep } from "./retries.js";
