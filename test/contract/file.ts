import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bench } from './bench.ts';

/** What every FilePort must do. */
export function fileSuite(name: string, makeBench: () => Promise<Bench>): void {
  describe(`file port, ${name}`, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await makeBench();
    });
    afterAll(() => bench?.stop());

    const files = [
      { path: '/etc/kubernetes/remuda/a.yaml', content: 'one: "1"\n', mode: 0o644 },
      {
        path: '/etc/kubernetes/remuda/deep/er/b',
        content: "it's $HOME `id`\n\nno break at the end",
        mode: 0o600,
      },
      { path: '/etc/kubernetes/remuda/empty', content: '', mode: 0o644 },
    ];

    it('says what differs, writes it, and then nothing differs', async () => {
      const { file } = bench.ports();
      expect((await file.differ(bench.machine, files)).map(({ path }) => path)).toEqual(
        files.map(({ path }) => path),
      );
      await file.write(bench.machine, files);
      expect(await file.differ(bench.machine, files)).toEqual([]);
      for (const { path, content } of files) expect(await file.read(bench.machine, path)).toBe(content);
    });

    it('notices another content and another mode', async () => {
      const { file } = bench.ports();
      const [first, second] = files as [(typeof files)[0], (typeof files)[0]];
      const changed = [
        { ...first, content: 'two' },
        { ...second, mode: 0o640 },
      ];
      expect(await file.differ(bench.machine, changed)).toHaveLength(2);
    });

    it('reads undefined for what is not there, and tells which paths exist', async () => {
      const { file } = bench.ports();
      expect(await file.read(bench.machine, '/etc/kubernetes/remuda/none')).toBeUndefined();
      const paths = [
        '/etc/kubernetes/remuda/none',
        '/etc/kubernetes/remuda/a.yaml',
        '/etc/kubernetes/remuda/deep',
      ];
      expect([...(await file.exist(bench.machine, paths))]).toEqual(paths.slice(1));
    });

    it('removes files and folders; again is no error', async () => {
      const { file } = bench.ports();
      const paths = ['/etc/kubernetes/remuda/deep', '/etc/kubernetes/remuda/a.yaml'];
      await file.remove(bench.machine, paths);
      await file.remove(bench.machine, paths);
      expect((await file.exist(bench.machine, paths)).size).toBe(0);
    });

    it.each(['/etc/passwd', '/', '/etc/kubernetes/../passwd', '/var/lib', 'etc/kubernetes/x'])(
      'refuses to remove %s, which is not ours',
      async (path) => {
        await expect(bench.ports().file.remove(bench.machine, [path])).rejects.toThrow(/not Remuda/u);
      },
    );

    it('refuses an older epoch on a machine that has seen a newer one, and changes nothing', async () => {
      const wanted = [{ path: '/etc/kubernetes/remuda/epoch', content: 'new', mode: 0o644 }];
      await bench.ports({ epoch: 7 }).file.write(bench.machine, wanted);
      const old = [{ path: '/etc/kubernetes/remuda/epoch', content: 'old', mode: 0o644 }];
      await expect(bench.ports({ epoch: 6 }).file.write(bench.machine, old)).rejects.toMatchObject({
        report: { kind: 'blocked' },
      });
      expect(await bench.ports().file.read(bench.machine, '/etc/kubernetes/remuda/epoch')).toBe('new');
    });
  });
}
