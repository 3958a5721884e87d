export { type LabOptions, runLab } from './lab.ts';
