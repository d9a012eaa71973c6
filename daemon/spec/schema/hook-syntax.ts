import { longestScript } from '../../../provisioners/contract/hooks.ts';
import type { SyntaxProblem } from './values.ts';

/** Rule: a program in text, as people can read it in a plan. */
export function scriptProblem(value: string): SyntaxProblem | undefined {
  const refuse = (summary: string, remedy: string): SyntaxProblem => ({ code: 'SPEC-111', summary, remedy });
  if (value.trim() === '') return refuse('The script is empty.', 'Write the commands that it runs.');
  if (value.length > longestScript)
    return refuse(
      `The script has ${value.length} characters; the most is ${longestScript}.`,
      'Put the program onto the machines (in the image, or with your own tools) and call it here.',
    );
  // Everything below the space but tab and line feed, and DEL: what a terminal would act on instead of showing it.
  if (
    [...value].some(
      (letter) => /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(letter) && !'\t\n'.includes(letter),
    )
  )
    return refuse(
      'The script holds control characters, which a terminal would act on instead of showing them.',
      'Write it with line feeds and tabs only; printf can make the others.',
    );
  return undefined;
}

/** Rule: `https://host[:port]/path`, without a user. The text is not repeated, because it may hold a password. */
export function webhookUrlProblem(value: string): SyntaxProblem | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url !== undefined && (url.username !== '' || url.password !== ''))
    return {
      code: 'SPEC-112',
      summary: 'A user name or password stands in the address of the webhook.',
      remedy: 'Remove everything up to the "@": the receiver knows the message by its signature.',
    };
  if (url?.protocol === 'https:' && url.hash === '') return undefined;
  return {
    code: 'SPEC-112',
    summary: 'This is not the address of a webhook.',
    remedy: 'Write https, host and path, such as https://hooks.dc1.example/remuda.',
  };
}
