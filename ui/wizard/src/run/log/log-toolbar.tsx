import {
  Button,
  Checkbox,
  FormSelect,
  FormSelectOption,
  Label,
  SearchInput,
  Switch,
} from '@patternfly/react-core';
import { DownloadIcon } from '@patternfly/react-icons';
import type { LineFilter, LineScan } from './line-scan.ts';
import type { LineStore } from './line-store.ts';
import type { Level } from './level.ts';

/** More machines than this are chosen in the picture or the table. */
const mostMachines = 300;

const levelTexts: readonly (readonly [Level, string])[] = [
  ['plain', 'All lines'],
  ['warning', 'Warnings and errors'],
  ['error', 'Errors'],
];

/** What the toolbar shows and tells. */
interface LogToolbarProps {
  readonly scan: LineScan;
  readonly store: LineStore;
  readonly filter: LineFilter;
  readonly machines: readonly string[];
  readonly stepTitle: string;
  readonly isFollowing: boolean;
  /** Position of the chosen line. */
  readonly chosenAt: number | undefined;
  readonly onFilter: (change: Partial<LineFilter>) => void;
  readonly onFollow: (isFollowing: boolean) => void;
  readonly onMatch: (position: number) => void;
  readonly onDownload: () => void;
}

/** What to show of the log, and what to look for in it. */
export function LogToolbar(props: LogToolbarProps): React.JSX.Element {
  const { scan, store, stepTitle, isFollowing, onFilter, onFollow, onDownload } = props;
  return (
    <div className="remuda-log-toolbar">
      <div className="remuda-panel-head">
        <h2 id="remuda-log-title">Log</h2>
        <p className="remuda-quiet" role="status">
          {countText(store, scan)}
        </p>
        {stepTitle === '' ? undefined : (
          <Label
            variant="outline"
            color="blue"
            textMaxWidth="22rem"
            onClose={() => onFilter({ step: '' })}
            closeBtnAriaLabel="Show all steps"
          >
            {stepTitle}
          </Label>
        )}
        <span className="remuda-space" />
        <Switch
          id="remuda-follow"
          label="Follow"
          isChecked={isFollowing}
          onChange={(_event, isChecked) => onFollow(isChecked)}
        />
        <Button
          variant="plain"
          size="sm"
          icon={<DownloadIcon />}
          onClick={onDownload}
          aria-label="Download the lines shown"
        />
      </div>
      <div className="remuda-log-filters">
        <Search {...props} />
        <Filters {...props} />
      </div>
    </div>
  );
}

function Search({ scan, filter, chosenAt, onFilter, onMatch }: LogToolbarProps): React.JSX.Element {
  const { matches } = scan;
  const current = chosenAt === undefined ? -1 : scan.matchAfter(chosenAt);
  const isOnMatch = current >= 0 && current < matches && scan.matchAt(current) === chosenAt;
  const go = (step: 1 | -1): void => {
    if (matches === 0) return;
    const besides = step > 0 ? Math.max(current, 0) : current - 1;
    const next = isOnMatch ? current + step : besides;
    onMatch(scan.matchAt((next + matches) % matches));
  };
  const place = isOnMatch ? `${(current + 1).toLocaleString('en')} of ` : '';
  return (
    <SearchInput
      className="remuda-search"
      aria-label="Search the log"
      placeholder="Search"
      value={filter.query}
      {...(filter.query === '' ? {} : { resultsCount: `${place}${matches.toLocaleString('en')}` })}
      onChange={(_event, query) => onFilter({ query })}
      onClear={() => onFilter({ query: '' })}
      onNextClick={() => go(1)}
      onPreviousClick={() => go(-1)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') go(event.shiftKey ? -1 : 1);
      }}
    />
  );
}

function Filters({ filter, machines, onFilter }: LogToolbarProps): React.JSX.Element {
  const names = new Set([...machines.slice(0, mostMachines), filter.machine].filter((name) => name !== ''));
  return (
    <>
      <Checkbox
        id="remuda-only-matching"
        label="Only matching"
        isChecked={filter.isOnlyMatching}
        onChange={(_event, isOnlyMatching) => onFilter({ isOnlyMatching })}
      />
      <FormSelect
        aria-label="Machine"
        className="remuda-select"
        value={filter.machine}
        onChange={(_event, machine) => onFilter({ machine })}
      >
        <FormSelectOption value="" label="All machines" />
        {[...names].map((name) => (
          <FormSelectOption key={name} value={name} label={name} />
        ))}
      </FormSelect>
      <FormSelect
        aria-label="Level, as far as the text tells"
        title="Machines write no level: this goes by the words of the line"
        className="remuda-select"
        value={filter.level}
        onChange={(_event, level) => onFilter({ level: level as Level })}
      >
        {levelTexts.map(([level, text]) => (
          <FormSelectOption key={level} value={level} label={text} />
        ))}
      </FormSelect>
    </>
  );
}

function countText(store: LineStore, scan: LineScan): string {
  const all = (store.end - store.start).toLocaleString('en');
  const shown = scan.rows.toLocaleString('en');
  const count = shown === all ? `${all} lines` : `${shown} of ${all} lines`;
  return scan.isBehind ? `${count}, searching…` : count;
}
