export type * from "./addon.js";
export { ADDON_INTERFACE_VERSION } from "./addon.js";
export { addonReport, loadAddon, requireAddon, type AddonAttempt, type AddonReport } from "./load.js";
export { callNative, translateNativeFailure } from "./failures.js";
