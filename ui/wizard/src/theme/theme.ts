import { useState } from 'react';

/** What a person chose: as the system has it, or always so. */
export type ThemeChoice = 'system' | 'light' | 'dark';

const storageKey = 'remuda-theme';
const darkClass = 'pf-v6-theme-dark';
const systemIsDark = globalThis.matchMedia('(prefers-color-scheme: dark)');
const systemWantsContrast = globalThis.matchMedia('(prefers-contrast: more)');

function storedChoice(): ThemeChoice {
  const kept = globalThis.localStorage.getItem(storageKey);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

function applyTheme(): void {
  const choice = storedChoice();
  const isDark = choice === 'dark' || (choice === 'system' && systemIsDark.matches);
  const { classList, style } = globalThis.document.documentElement;
  classList.toggle(darkClass, isDark);
  classList.toggle('pf-v6-theme-high-contrast', systemWantsContrast.matches);
  style.colorScheme = isDark ? 'dark' : 'light';
}

/** Puts the theme on the page before anything is drawn, so that nothing flashes, and follows the system from then on. */
export function keepTheme(): void {
  applyTheme();
  systemIsDark.addEventListener('change', applyTheme);
  systemWantsContrast.addEventListener('change', applyTheme);
}

/** The choice and how to change it. */
export function useTheme(): readonly [ThemeChoice, (choice: ThemeChoice) => void] {
  const [choice, setChoice] = useState(storedChoice);
  const choose = (next: ThemeChoice): void => {
    globalThis.localStorage.setItem(storageKey, next);
    applyTheme();
    setChoice(next);
  };
  return [choice, choose];
}
