'use strict';
// What a JavaScript harness must keep to for its effect to be laid at the target's door.
//
// Started once for each harness, by itself: `node --expose-internals contract_javascript.cjs`, the
// harness on descriptor 4, the rest of the job on 5, the answer on 3. Nothing of it runs here.
//
// The rules name every construct with which code could act on the observer, on JavaScript itself or
// on the target instead of calling the target. Such a harness may still reproduce an effect; it
// cannot show where the effect comes from. What text alone cannot tell (a property whose name is
// computed, an alias) is watched while the harness runs: observe_javascript.cjs.

const fs = require('fs');
const acorn = require('internal/deps/acorn/acorn/dist/acorn');
const { instrument } = require('./instrument_javascript.cjs');
const {
  ALLOWED_MODULES, FILE_MODULES, FORBIDDEN_MODULES, FILE_FUNCTIONS, FORBIDDEN_NAMES,
  FORBIDDEN_PROPERTIES, VERSION_PROBES, PROCESS, MODULE_NAMES,
} = require('./rules_javascript.cjs');

const TEXT = 400;
const MOST = 20;
const REQUIRE_ONLY_CALLED = 'require may only be called, with a text that stands there';

/** Every rule that the tree breaks, in order of lines: `line N: what`. */
function violations(tree) {
  const found = [];
  const say = (node, what) => found.push({ line: node.loc.start.line, what });
  const imports = importedNames(tree);
  const declared = declaredNames(tree);
  walk(tree, [], (node, parents) => {
    const rule = RULES[node.type];
    if (rule !== undefined) rule(node, parents, { say, imports, declared });
  });
  found.sort((a, b) => a.line - b.line);
  return [...new Set(found.map((one) => `line ${one.line}: ${one.what}`))].slice(0, MOST);
}

function walk(node, parents, visit) {
  visit(node, parents);
  parents.push(node);
  for (const child of childrenOf(node)) walk(child, parents, visit);
  parents.pop();
}

function* childrenOf(node) {
  for (const key of Object.keys(node)) {
    const value = node[key];
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child?.type === 'string') yield child;
    }
  }
}

/** What names stand for modules: name to module, and name to [module, member]. */
function importedNames(tree) {
  const modules = new Map();
  const members = new Map();
  const bind = (pattern, source) => {
    if (pattern.type === 'Identifier') modules.set(pattern.name, source);
    if (pattern.type !== 'ObjectPattern') return;
    for (const one of pattern.properties) {
      const value = one.type === 'Property' ? one.value : one.argument;
      const local = value.type === 'AssignmentPattern' ? value.left : value;
      if (local.type !== 'Identifier') continue;
      const member = one.type === 'Property' ? keyOf(one) : undefined;
      if (member === 'promises' && source === 'fs') modules.set(local.name, 'fs/promises');
      else members.set(local.name, [source, member]);
    }
  };
  walk(tree, [], (node) => {
    const { init } = node;
    if (init && init.type === 'MemberExpression' && keyOf(init) === 'promises' &&
        modules.get(init.object.name) === 'fs') {
      bind(node.id, 'fs/promises');
    }
    if (node.type === 'ImportDeclaration') {
      const source = plainName(node.source.value);
      for (const one of node.specifiers) {
        if (one.type !== 'ImportSpecifier') modules.set(one.local.name, source);
        else members.set(one.local.name, [source, one.imported.name ?? one.imported.value]);
      }
    }
    if (node.type !== 'VariableDeclarator' || init === null) return;
    const source = requiredBy(init);
    if (source !== undefined) bind(node.id, source);
  });
  return { modules, members };
}

function plainName(source) {
  return String(source).replace(/^node:/, '');
}

/** The module that an expression is: `require('x')`, `require('fs').promises`, `import('x')`. */
function requiredBy(node) {
  if (node.type === 'CallExpression' && node.callee.type === 'Identifier' &&
      node.callee.name === 'require' && node.arguments.length === 1 &&
      typeof node.arguments[0].value === 'string') {
    return plainName(node.arguments[0].value);
  }
  if (node.type === 'AwaitExpression' && node.argument.type === 'ImportExpression') {
    const source = node.argument.source.value;
    return typeof source === 'string' ? plainName(source) : undefined;
  }
  if (node.type === 'MemberExpression' && keyOf(node) === 'promises' &&
      requiredBy(node.object) === 'fs') {
    return 'fs/promises';
  }
  return undefined;
}

/** The name of a property where it stands there, else undefined. */
function keyOf(node) {
  const key = node.type === 'MemberExpression' ? node.property : node.key;
  if (!node.computed && key.type === 'Identifier') return key.name;
  return key.type === 'Literal' ? String(key.value) : undefined;
}

function declaredNames(tree) {
  const names = new Set();
  const add = (pattern) => {
    if (pattern === null) return;
    if (pattern.type === 'Identifier') names.add(pattern.name);
    else if (pattern.type === 'ObjectPattern') {
      for (const p of pattern.properties) add(p.type === 'Property' ? p.value : p.argument);
    } else if (pattern.type === 'ArrayPattern') pattern.elements.forEach(add);
    else if (pattern.type === 'AssignmentPattern') add(pattern.left);
    else if (pattern.type === 'RestElement') add(pattern.argument);
  };
  walk(tree, [], (node) => {
    if (node.type === 'VariableDeclarator') add(node.id);
    if (node.params) node.params.forEach(add);
    if (node.type === 'CatchClause' && node.param) add(node.param);
    if (node.id?.type === 'Identifier') add(node.id);
    if (node.local?.type === 'Identifier') add(node.local);
  });
  return names;
}

function checkModule(node, source, say) {
  const name = plainName(source);
  if (FORBIDDEN_MODULES.has(name)) {
    say(node, `requires ${name}, which ${FORBIDDEN_MODULES.get(name)}`);
  } else if (/^[./]|^file:|^data:/.test(source)) {
    say(node, `requires ${source}, which is no package`);
  } else if (source.startsWith('node:') && !ALLOWED_MODULES.has(name) && !FILE_MODULES.has(name)) {
    say(node, `requires ${source}, which a harness has no use for`);
  } else if (/(^|\/)(package\.json|node_modules|\.\.)(\/|$)/.test(source)) {
    say(node, `requires ${source}: a harness must not ask which version runs`);
  } else if (/^(internal|_)/.test(source)) {
    say(node, `requires ${source}, an inside of Node.js`);
  }
}

function checkProperty(node, name, say) {
  if (VERSION_PROBES.has(name)) say(node, `${name}: a harness must not ask which version runs`);
  else if (FORBIDDEN_PROPERTIES.has(name)) say(node, `${name} ${FORBIDDEN_PROPERTIES.get(name)}`);
}

/** Whether an identifier is a name of a variable that is read or written here. */
function isReference(node, parents) {
  const parent = parents[parents.length - 1];
  switch (parent.type) {
    case 'MemberExpression':
      return parent.object === node || parent.computed;
    case 'Property':
      return parent.computed || parent.value === node || parent.shorthand;
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return parent.computed || parent.value === node;
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
    case 'ImportSpecifier':
    case 'ImportDefaultSpecifier':
    case 'ImportNamespaceSpecifier':
    case 'ExportSpecifier':
    case 'MetaProperty':
      return false;
    default:
      return true;
  }
}

function isBinding(node, parents) {
  const parent = parents[parents.length - 1];
  if (parent.type === 'VariableDeclarator') return parent.id === node;
  return parent.type === 'Property' && parents[parents.length - 2].type === 'ObjectPattern';
}

/** A module that touches files may only be called by name: as a value it could go to the target. */
function checkFileModule(node, parents, say) {
  const [grand, parent] = parents.slice(-2);
  if (isBinding(node, parents)) return;
  if (parent.type !== 'MemberExpression' || parent.object !== node) {
    say(node, `${node.name} may only be called by the name of one of its functions`);
    return;
  }
  const key = keyOf(parent);
  if (key === 'constants') return;
  if (key === 'promises') {
    const bound = grand.type === 'VariableDeclarator' && grand.init === parent;
    const holder = parents[parents.length - 3];
    const called = grand.type === 'MemberExpression' && holder.type === 'CallExpression' &&
      holder.callee === grand && FILE_FUNCTIONS.has(keyOf(grand));
    if (!bound && !called) say(node, `${node.name}.promises acts on more than the working folder`);
  } else if (grand.callee !== parent || !FILE_FUNCTIONS.has(key)) {
    say(node, `${node.name}.${key ?? '[...]'} acts on more than the working folder`);
  }
}

function checkFileMember(node, parents, member, say) {
  const parent = parents[parents.length - 1];
  if (isBinding(node, parents) || member === 'constants') return;
  if (!FILE_FUNCTIONS.has(member)) say(node, `${node.name} acts on more than the working folder`);
  else if (parent.type !== 'CallExpression' || parent.callee !== node) {
    say(node, `${node.name} may only be called`);
  }
}

function checkRequire(node, parents, say) {
  const parent = parents[parents.length - 1];
  if (parent.type !== 'CallExpression' || parent.callee !== node || parent.arguments.length !== 1 ||
      typeof parent.arguments[0].value !== 'string') {
    say(node, REQUIRE_ONLY_CALLED);
    return;
  }
  const source = parent.arguments[0].value;
  checkModule(node, source, say);
  const holder = parents[parents.length - 2];
  const promises = holder.type === 'MemberExpression' && keyOf(holder) === 'promises';
  const bound = promises ? parents[parents.length - 3] : holder;
  if (FILE_MODULES.has(plainName(source)) && bound.type !== 'VariableDeclarator') {
    say(node, `${source} has to be given a name before it is used`);
  }
}

/** Writing to a variable that the harness does not declare changes a global one. */
function checkAssigned(target, { say, declared }) {
  if (target === null) return;
  const known = declared.has(target.name) || MODULE_NAMES.has(target.name);
  if (target.type === 'Identifier' && !known) {
    say(target, `changes ${target.name}, which is not the harness's`);
  } else if (target.type === 'ArrayPattern') {
    target.elements.forEach((one) => checkAssigned(one, { say, declared }));
  } else if (target.type === 'ObjectPattern') {
    for (const p of target.properties) checkAssigned(p.value ?? p.argument, { say, declared });
  } else if (target.type === 'AssignmentPattern') checkAssigned(target.left, { say, declared });
  else if (target.type === 'RestElement') checkAssigned(target.argument, { say, declared });
}

/** A loop's variable is a name: what is written elsewhere is looked at where it is written. */
function checkLoopVariable(left, rules) {
  if (left.type === 'VariableDeclaration') return;
  if (left.type !== 'Identifier') rules.say(left, 'loops with something else than a variable');
  checkAssigned(left, rules);
}

const RULES = {
  Identifier(node, parents, { say, imports, declared }) {
    const { name } = node;
    if (name.startsWith('__clearhouse')) say(node, `${name} is the observer's`);
    if (!isReference(node, parents)) return;
    if (FORBIDDEN_NAMES.has(name)) say(node, `${name} ${FORBIDDEN_NAMES.get(name)}`);
    if (name === 'require' && !declared.has(name)) checkRequire(node, parents, say);
    if (name === 'process' && !declared.has(name)) {
      const parent = parents[parents.length - 1];
      const key = parent.type === 'MemberExpression' && parent.object === node && keyOf(parent);
      if (!PROCESS.has(key)) say(node, `process.${key || '...'} changes or reads the interpreter`);
    }
    if (FILE_MODULES.has(imports.modules.get(name))) checkFileModule(node, parents, say);
    const [source, member] = imports.members.get(name) ?? [];
    if (FILE_MODULES.has(source)) checkFileMember(node, parents, member, say);
  },
  MemberExpression(node, parents, { say }) {
    const key = keyOf(node);
    if (key === undefined) {
      if (node.object.type === 'Super') say(node, 'super[...] cannot be followed');
      return;
    }
    const holder = parents[parents.length - 1];
    const named = holder.type === 'MemberExpression' && holder.object === node &&
      keyOf(holder) === 'name';
    if (key === 'constructor' && !named) say(node, 'constructor reaches what runs text as code');
    const called = holder.type === 'MemberExpression' && node.object.type === 'Identifier' &&
      ['Object', 'Array', 'String', 'Buffer', 'Uint8Array'].includes(node.object.name);
    if (key === 'prototype' && called && keyOf(holder) !== 'constructor') return;
    checkProperty(node, key, say);
  },
  Property(node, parents, { say }) {
    const pattern = parents[parents.length - 1].type === 'ObjectPattern';
    const key = keyOf(node);
    if (pattern && key === undefined) say(node, 'a computed name in a pattern can reach anything');
    if (key === '__proto__' && !node.shorthand) say(node, '__proto__ belongs in the input');
    if (!pattern) return;
    if (key === 'constructor') say(node, 'constructor reaches what runs text as code');
    checkProperty(node, key, say);
  },
  ImportDeclaration(node, _, { say }) {
    checkModule(node, node.source.value, say);
  },
  ImportExpression(node, parents, { say }) {
    if (typeof node.source.value !== 'string') say(node, 'import() of a computed name');
    else {
      checkModule(node, node.source.value, say);
      const files = FILE_MODULES.has(plainName(node.source.value));
      const bound = parents[parents.length - 2];
      if (files && bound.type !== 'VariableDeclarator') {
        say(node, `${node.source.value} has to be given a name before it is used`);
      }
    }
  },
  ExportAllDeclaration(node, _, { say }) {
    say(node, 'exports from another module');
  },
  ExportNamedDeclaration(node, _, { say }) {
    if (node.source) say(node, 'exports from another module');
  },
  AssignmentExpression(node, _, rules) {
    checkAssigned(node.left, rules);
  },
  UpdateExpression(node, _, rules) {
    checkAssigned(node.argument, rules);
  },
  ForInStatement(node, _, rules) {
    checkLoopVariable(node.left, rules);
  },
  ForOfStatement(node, _, rules) {
    checkLoopVariable(node.left, rules);
  },
  MetaProperty(node, _, { say }) {
    if (node.meta.name === 'import') say(node, 'import.meta reaches the loader');
  },
  WithStatement(node, _, { say }) {
    say(node, 'with hides what a name means');
  },
  DebuggerStatement(node, _, { say }) {
    say(node, 'debugger stops the run');
  },
  TaggedTemplateExpression(node, _, { say }) {
    say(node, 'a tagged template is a call that cannot be followed');
  },
};

/** The harness's tree: [tree, is a module]. Raises SyntaxError. */
function parse(source, name) {
  const common = { ecmaVersion: 'latest', locations: true, allowHashBang: true };
  const script = { ...common, sourceType: 'script', allowReturnOutsideFunction: true };
  const module = { ...common, sourceType: 'module' };
  if (/\.mjs$/i.test(name)) return [acorn.parse(source, module), true];
  try {
    return [acorn.parse(source, script), false];
  } catch (error) {
    try {
      return [acorn.parse(source, module), true];
    } catch {
      throw error;
    }
  }
}

function main() {
  const source = fs.readFileSync(4, 'utf8').replace(/^\uFEFF/, '');
  const job = JSON.parse(fs.readFileSync(5, 'utf8'));
  let answer;
  try {
    const [tree, isModule] = parse(source, job.name);
    const contract = violations(tree);
    answer = { contract, isModule, ...instrument(source, tree, isModule) };
  } catch (error) {
    answer = { why: `${error.name}: ${error.message}`.slice(0, TEXT) };
  }
  fs.writeSync(3, `${job.key}${JSON.stringify(answer)}\n`);
}

main();
