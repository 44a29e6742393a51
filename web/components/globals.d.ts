/** The addresses of a component's modules, the entry first; see stub.js. */
declare const MODULES: string[];
