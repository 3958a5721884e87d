import type { Scenario } from '#platform/topology';

/** What the plan cannot know about a load balancer. */
export function balancerNotes({ balancing }: Scenario): string[] {
  if (balancing !== 'hardware') return [];
  return [
    'Behind a hardware load balancer these rules are a table to work from: rows that it takes name its virtual address, also as the source of what edges send. Where it does not rewrite the source, write the addresses of the edges there.',
  ];
}
