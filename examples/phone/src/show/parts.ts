/** Ids of the page: of all parts that come and go, of all texts, and of the buttons and fields that can be disabled. */

export const PARTS = [
  "simulated", "count", "progress", "known", "problem", "lessons", "learned", "lesson-cancel", "try", "trying", "lesson-save",
  "lesson-share", "lesson-reset", "lesson-undo", "handover", "offer-take", "offer-leave",
  "summary", "share", "fix", "teach-row", "teach-open", "unteachable", "live", "bars-card", "minute-card", "rotation", "elsewhere", "how", "settings",
  "ears-row", "collect-row", "person", "credit", "pause", "stop", "lessons-done", "start", "simulate",
] as const;
export const TEXTS = [
  "simulated", "count", "problem-text", "lesson-said", "learned-text", "learn-missing", "lesson-reset", "lesson-undo",
  "learn", "try", "try-label", "try-detail", "handover-none",
  "from", "to", "unteachable", "unit", "measured", "about", "notice-text", "pause", "stop", "start",
] as const;
export const BUTTONS = ["start", "simulate", "lesson-record", "learn", "try", "lesson-reset", "lesson-open"] as const;

/** Of the hero, which is rendered apart: its place is measured with what else it may show. */
export const HERO = ["label", "probability", "detail", "hint"] as const;

export type Part = (typeof PARTS)[number] | "restart";
export type Text = (typeof TEXTS)[number] | (typeof HERO)[number];
export type Button = (typeof BUTTONS)[number];
