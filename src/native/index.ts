export type * from "./addon.js";
export { addonReport, loadAddon, type AddonAttempt, type AddonReport } from "./load.js";
export { callNative } from "./failures.js";
