import packageFile from '../../../package.json' with { type: 'json' };

/** Release of this code, from package.json. */
export const releaseName: string = packageFile.version;
