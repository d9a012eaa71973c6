import { z } from 'zod';
import { field } from './field.ts';
import { dayTimeSchema, durationSchema, shareSchema, textSchema } from './values.ts';

const windowSchema = z.strictObject({
  days: field(z.array(z.enum(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'])).min(1), {
    mutability: 'in-place',
    help: 'Days on which the window opens.',
    example: ['Sat', 'Sun'],
  }),
  from: field(dayTimeSchema, {
    mutability: 'in-place',
    help: 'When it opens, 24-hour clock.',
    example: '22:00',
  }),
  to: field(dayTimeSchema, {
    mutability: 'in-place',
    help: 'When it closes; earlier than `from` means on the next day.',
    example: '04:00',
  }),
  timeZone: field(textSchema.default('UTC'), {
    mutability: 'in-place',
    help: 'Time zone, by its IANA name.',
    example: 'Europe/Berlin',
  }),
});

/** How pods are moved off machines that leave. */
const drainSchema = z.strictObject({
  unmanaged: field(z.enum(['refuse', 'delete']).default('refuse'), {
    mutability: 'in-place',
    help: 'Pods that nothing would make again elsewhere: `refuse` stops before any pod is moved, `delete` gives them up.',
    example: 'refuse',
  }),
  emptyDir: field(z.enum(['refuse', 'delete']).default('delete'), {
    mutability: 'in-place',
    help: 'Pods whose emptyDir volumes are lost with them: `refuse` stops before any pod is moved.',
    example: 'delete',
  }),
  whenBlocked: field(z.enum(['wait', 'skip', 'force']).default('wait'), {
    mutability: 'in-place',
    help: 'Pods that do not go: `wait` for them; after `forceAfter`, `skip` leaves them on the machine, and `force` deletes those that a PodDisruptionBudget holds.',
    example: 'wait',
  }),
  gracePeriod: field(durationSchema.optional(), {
    mutability: 'in-place',
    help: 'Time each pod has to end; its own when left out.',
    example: '60s',
  }),
  forceAfter: field(durationSchema.optional(), {
    mutability: 'in-place',
    help: 'How long `skip` and `force` wait from the beginning of a drain for a budget that may yet yield; five minutes when left out.',
    example: '30m',
  }),
  pauseBetween: field(durationSchema.optional(), {
    mutability: 'in-place',
    help: 'Time to watch what runs after one machine has gone and before the next one is closed to new pods; none when left out.',
    example: '15m',
  }),
});

/** When and how far Remuda may go on its own. */
export const maintenanceSchema = z.strictObject({
  windows: z.array(windowSchema).max(50).default([]),
  minimumReady: field(shareSchema.default('80%'), {
    mutability: 'in-place',
    help: "Share (or number) of a worker group's machines that must go on serving (Ready, taking pods) while one more of them is closed to new pods; until they do, it waits.",
    example: '80%',
  }),
  approvals: field(z.int().min(1).max(5).default(1), {
    mutability: 'in-place',
    help: 'Different principals who must agree before a plan that needs confirmation begins; the one who asks for it counts, so 1 means nobody else.',
    example: 1,
  }),
  drain: drainSchema.prefault({}),
  destroyLimit: field(z.int().min(0).max(1000).default(3), {
    mutability: 'in-place',
    help: "A plan that destroys more machines than this needs the cluster's name as confirmation.",
    example: 3,
  }),
});

/** What `delete` may do. */
export const deletionSchema = z.strictObject({
  protected: field(z.boolean().default(false), {
    mutability: 'in-place',
    help: 'Refuse to delete the cluster until this is set to false.',
    example: true,
  }),
  volumes: field(z.enum(['retain', 'delete']).default('retain'), {
    mutability: 'in-place',
    help: 'What becomes of persistent volumes when the cluster is deleted.',
    example: 'retain',
  }),
  whenBlocked: field(z.enum(['wait', 'skip']).default('wait'), {
    mutability: 'in-place',
    help: 'What `delete` does with Services and volume claims that do not go because a finalizer holds them: `wait`, or after a while `skip` them and list them as left.',
    example: 'wait',
  }),
  skipAfter: field(durationSchema.default('10m'), {
    mutability: 'in-place',
    help: 'How long `skip` waits before it goes on.',
    example: '10m',
  }),
});
