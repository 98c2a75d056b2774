import type { AdapterTable } from "../adapter.js"; export const adapters: AdapterTable = {};
