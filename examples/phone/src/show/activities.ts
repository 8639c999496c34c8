/** The look of each activity: a pictogram, a color, and whether one takes steps. */

export type Figure = "walking" | "jogging" | "upstairs" | "downstairs" | "sitting" | "standing" | "other";

export interface Look {
  figure: Figure;
  /** A variable of the style sheet. */
  color: string;
  /** Whether steps are counted. */
  gait: boolean;
}

/** Words of names, also of other models; the first that fits decides. A word begins at no letter's right: crunches do not run. */
const WORDS: [RegExp, Figure][] = [
  [/(^|\P{L})(push|sit|pull|chin|press|get|stand)(ting|ing)?[\W_]?ups?(?!\p{L})/iu, "other"],
  [/down[\W_]?stair|stairs?[\W_]?down|descend|^(going )?down$/i, "downstairs"],
  [/stair|climb|ascend|^(going )?up$/i, "upstairs"],
  [/(^|\P{L})(jog|run)/iu, "jogging"], [/walk|stroll|(^|\P{L})hik/iu, "walking"],
  [/(^|\P{L})(sit|loung)/iu, "sitting"], [/(^|\P{L})(stand|queu)/iu, "standing"],
];

const GAITS: Figure[] = ["walking", "jogging", "upstairs", "downstairs"];

/** In the order of the colors in the style sheet. */
const FIGURES: Figure[] = ["walking", "jogging", "upstairs", "downstairs", "sitting", "standing"];
const COLORS = 8;

/** Whether a model recognizes what those of the zoo do, which were trained on phones in pockets. */
export function isOfPockets(classes: string[]): boolean {
  return classes.every((name) => [...FIGURES, "stairs", "other"].includes(name));
}

/** The look of each class of a model. The six of the zoo have a color each; others take those that are left, in turn. */
export function looks(classes: string[]): Look[] {
  const figures = classes.map((name) => WORDS.find(([word]) => word.test(name))?.[1] ?? "other");
  const colors = figures.map((figure, i) => (figures.indexOf(figure) === i ? FIGURES.indexOf(figure) : -1));
  const left = Array.from({ length: COLORS }, (_, i) => i).filter((i) => !colors.includes(i)).reverse();
  let next = 0;
  return figures.map((figure, i) => {
    const color = colors[i]! >= 0 ? colors[i]! : left[next++ % Math.max(1, left.length)] ?? 0;
    return { figure, color: `--activity-${color}`, gait: GAITS.includes(figure) };
  });
}

/** Lines on a square of 48: those of a limb that swings begin where it turns. */
export interface Picture {
  still: string;
  /** Two legs and two arms, of which the first and the last swing together. */
  limbs: string[];
}

const head = (x: number, y: number) => `M${x - 3.5} ${y}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0`;

export const PICTURES: Record<Figure | "pocket" | "silent" | "unsure", Picture> = {
  standing: { still: `${head(24, 7)}M24 15V29M24 29L20 44M24 29L28 44M24 17L17 28M24 17L31 28`, limbs: [] },
  walking: {
    still: `${head(25, 7)}M24 15L23 28`,
    limbs: ["M23 28L29 35L31 44", "M23 28L20 36L13 42", "M24 17L31 21L34 26", "M24 17L18 22L16 28"],
  },
  jogging: {
    still: `${head(29, 7)}M27 15L23 27`,
    limbs: ["M23 27L32 31L31 40", "M23 27L19 36L9 37", "M27 17L33 22L39 19", "M27 17L19 18L15 24"],
  },
  upstairs: {
    still: `${head(19, 6)}M18 13L17 24M5 45H17V38H28V31H39V24H45M39 15V5M35 9L39 5L43 9`,
    limbs: ["M17 24L24 26L24 32", "M17 24L14 31L10 37", "M18 15L24 18L28 17", "M18 15L12 19L10 23"],
  },
  downstairs: {
    still: `${head(25, 6)}M25 13L25 24M3 24H9V31H20V38H31V45H43M39 5V15M35 11L39 15L43 11`,
    limbs: ["M25 24L30 31L33 38", "M25 24L19 29L15 25", "M25 15L30 19L32 24", "M25 15L19 19L17 23"],
  },
  sitting: { still: `${head(19, 8)}M19 16V29H31V43M11 18V44M11 35H24V44M19 19L27 25`, limbs: [] },
  other: { still: "M4 25H11L16 12L24 37L31 16L35 25H44", limbs: [] },
  pocket: { still: "M17 4H31V24H17ZM21 20H27M8 22V36Q8 44 16 44H32Q40 44 40 36V22M24 29V37M20 33L24 37L28 33", limbs: [] },
  silent: { still: "M4 25H11L16 14L24 35L30 19L34 25H44M8 42L40 6", limbs: [] },
  unsure: { still: "M15 15Q16 6 24 6Q34 6 34 15Q34 21 27 24Q24 26 24 32M24 41V42", limbs: [] },
};
