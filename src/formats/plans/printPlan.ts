/** @file A plan as a file. */
import type { Plan } from '#src/oft/types.ts';
import { printToml } from '../files/printToml.ts';
import { planToTable } from './plan.ts';

/** The plan as a file that parsePlan reads back as it was. */
export const printPlan = (plan: Plan): string => printToml(planToTable(plan));
