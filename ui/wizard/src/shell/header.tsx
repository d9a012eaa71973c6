import {
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadMain,
  Nav,
  NavItem,
  NavList,
  Toolbar,
  ToolbarContent,
  ToolbarGroup,
  ToolbarItem,
} from '@patternfly/react-core';
import { Link, useLocation } from 'wouter';
import { useHasRole } from '../session/session.ts';
import { AccountMenu } from './account-menu.tsx';
import { ThemeMenu } from './theme-menu.tsx';
import { Wordmark } from './wordmark.tsx';

const places = [
  { path: '/clusters', name: 'Clusters' },
  { path: '/supplies', name: 'Supplies' },
] as const;
/** For those who may read at least a part of them; nobody else learns that they are there. */
const morePlaces = [
  { path: '/leftovers', name: 'Leftovers' },
  { path: '/administration', name: 'Administration' },
] as const;

/** The bar on top of every page: where one is, where one can go, who one is. */
export function Header(): React.JSX.Element {
  const [location] = useLocation();
  const mayRead = useHasRole('viewer');
  return (
    <Masthead className="remuda-header">
      <MastheadMain>
        <MastheadBrand>
          <Link href="/clusters" className="remuda-home" aria-label="Remuda: clusters">
            <Wordmark />
          </Link>
        </MastheadBrand>
      </MastheadMain>
      <MastheadContent>
        <Toolbar isFullHeight isStatic>
          <ToolbarContent>
            <ToolbarItem isOverflowContainer>
              <Nav variant="horizontal" aria-label="Main">
                <NavList>
                  {(mayRead ? [...places, ...morePlaces] : places).map(({ path, name }) => (
                    <NavItem key={path} itemId={path} isActive={location.startsWith(path)}>
                      <Link href={path}>{name}</Link>
                    </NavItem>
                  ))}
                </NavList>
              </Nav>
            </ToolbarItem>
            <ToolbarGroup align={{ default: 'alignEnd' }} variant="action-group-plain">
              <ToolbarItem>
                <ThemeMenu />
              </ToolbarItem>
              <ToolbarItem>
                <AccountMenu />
              </ToolbarItem>
            </ToolbarGroup>
          </ToolbarContent>
        </Toolbar>
      </MastheadContent>
    </Masthead>
  );
}
