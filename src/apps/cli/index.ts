export { runCommandLine } from './command-line.ts';
export { edgeProgram } from './programs.ts';
