import { useEffect, useState } from 'react';

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

/** Puts the theme on the page; called before anything is drawn, so that nothing flashes. */
export function applyTheme(choice: ThemeChoice = storedChoice()): void {
  const isDark = choice === 'dark' || (choice === 'system' && systemIsDark.matches);
  const { classList, style } = globalThis.document.documentElement;
  classList.toggle(darkClass, isDark);
  classList.toggle('pf-v6-theme-high-contrast', systemWantsContrast.matches);
  style.colorScheme = isDark ? 'dark' : 'light';
}

/** The choice and how to change it; follows the system while it says so. */
export function useTheme(): readonly [ThemeChoice, (choice: ThemeChoice) => void] {
  const [choice, setChoice] = useState(storedChoice);
  useEffect(() => {
    applyTheme(choice);
    const follow = (): void => applyTheme(choice);
    systemIsDark.addEventListener('change', follow);
    systemWantsContrast.addEventListener('change', follow);
    return () => {
      systemIsDark.removeEventListener('change', follow);
      systemWantsContrast.removeEventListener('change', follow);
    };
  }, [choice]);
  const choose = (next: ThemeChoice): void => {
    globalThis.localStorage.setItem(storageKey, next);
    setChoice(next);
  };
  return [choice, choose];
}
