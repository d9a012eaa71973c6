import { glob, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { UserProblem } from '../contract/problem.ts';
import { REPOSITORY } from './images.ts';
import { type ImageRecipe, run } from './lab-recipe.ts';

/** Where add-ons keep the recipe of their own image: `provisioners/addons/SLOT/NAME/image/recipe.json`. */
const RECIPES = 'provisioners/addons/*/*/image/recipe.json';

/** An add-on's image as its owner writes it down. */
const addonRecipe = z.strictObject({
  reference: z.string(),
  /** Debian packages that bring the binaries. */
  packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/)),
  /** Programs by name or path. */
  binaries: z.array(z.string()),
  /** Files beside the recipe → path in the image; the executable bit is kept. */
  files: z.record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/), z.string().startsWith('/')),
  entrypoint: z.array(z.string()),
});

/**
 * Recipes of every add-on's image in this repository, sorted by path. Throws UserProblem when one cannot be read.
 * @param repository the top folder that is searched
 */
export async function addonImages(repository: string = REPOSITORY): Promise<readonly ImageRecipe[]> {
  const files: string[] = [];
  for await (const file of glob(RECIPES, { cwd: repository })) files.push(join(repository, file));
  return Promise.all(files.sort().map(readRecipe));
}

async function readRecipe(file: string): Promise<ImageRecipe> {
  let recipe: z.infer<typeof addonRecipe>;
  try {
    recipe = addonRecipe.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (thrown) {
    const why = thrown instanceof z.ZodError ? z.prettifyError(thrown) : String(thrown);
    throw new UserProblem('PAYLOAD-017', `The image recipe ${file} cannot be used: ${why}`, {
      place: { file },
      remedy:
        'It needs reference, packages, binaries, files and entrypoint; see provisioners/payload/addon-recipe.ts.',
    });
  }
  const folder = dirname(file);
  const name = basename(dirname(folder));
  return {
    reference: recipe.reference,
    for: `addon:${name}`,
    origin: `the add-on ${name}'s files on Debian's ${recipe.packages.join(', ')}`,
    packages: recipe.packages,
    binaries: recipe.binaries,
    compiled: {},
    files: Object.fromEntries(Object.entries(recipe.files).map(([from, to]) => [join(folder, from), to])),
    links: {},
    process: run(...recipe.entrypoint),
  };
}
