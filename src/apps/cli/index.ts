export { runCommandLine } from './command-line.ts';
export { edgeProgram, internalProgram } from './programs.ts';
export { type ExitStatus, exitStatus, type Session, type Terminal } from './terminal.ts';
