import { z } from 'zod';
import { field } from './field.ts';
import { dayTimeSchema, percentageSchema, textSchema } from './values.ts';

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

/** When and how far Remuda may go on its own. */
export const maintenanceSchema = z.strictObject({
  windows: z.array(windowSchema).max(50).default([]),
  minimumReady: field(percentageSchema.default('80%'), {
    mutability: 'in-place',
    help: "Share of a group's machines that must be Ready before the next one is touched.",
    example: '80%',
  }),
  approvals: field(z.int().min(1).max(5).default(1), {
    mutability: 'in-place',
    help: 'People who must agree to a destructive plan; the one who applies it counts.',
    example: 1,
  }),
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
});
