/** What the build puts in: see vite.config.ts. */
declare const __LITERT_VERSION__: string;
declare const __LITERT_BYTES__: number;
declare const __PAGE_FILES__: string[];
declare const __PAGE_NAME__: string;
