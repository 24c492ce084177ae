'use strict';
// Makes a JavaScript harness leave marks of the way it takes.
//
// Every statement, every condition with its outcome, every call with what it calls, every value
// that is thrown and every object that is written to goes through a function of the observer
// (observe_javascript.cjs). Lines stay where they are.

const MARKS = 2560; // the marks behind these are given out while the harness runs
const COMPARISONS = new Set(['==', '!=', '===', '!==', '<', '<=', '>', '>=', 'in', 'instanceof']);
const NEVER_BLOCKS = new Set(['BlockStatement', 'EmptyStatement', 'FunctionDeclaration']);

/** The harness with marks, and the line that each mark stands on. */
function instrument(source, tree, isModule) {
  const writer = new Writer(source);
  let code = writer.program(tree);
  if (isModule) {
    const names = writer.exported.map(([as, local]) => `${JSON.stringify(as)}: ${local}`);
    code = `'use strict';return (async()=>{${code}\n;__clearhouse_e({${names.join(', ')}});})()`;
  }
  return { code, lines: writer.lines };
}

class Writer {
  constructor(source) {
    this.source = source;
    this.lines = [];
    this.exported = [];
    this.assigned = new Set(); // member expressions that are written to
  }

  program(tree) {
    return this.statements(tree, tree.body, 0, this.source.length);
  }

  mark(node, count = 1) {
    const number = Math.min(this.lines.length, MARKS - count);
    if (this.lines.length + count <= MARKS) {
      for (let i = 0; i < count; i++) this.lines.push(node.loc.start.line);
    }
    return number;
  }

  truth(node, text) {
    return `__clearhouse_t(${this.mark(node, 2)},(${text}))`;
  }

  noting(node, text) {
    return `(__clearhouse_m(${this.mark(node)}),(${text}))`;
  }

  /** A list of statements with a mark before each, from one position to another. */
  statements(holder, list, start, end) {
    let out = '';
    let at = start;
    for (const one of list) {
      out += this.source.slice(at, one.start);
      const bare = one.directive !== undefined || one.type === 'FunctionDeclaration' ||
        one.type === 'EmptyStatement' || /^(Im|Ex)port/.test(one.type);
      out += bare ? '' : `;__clearhouse_m(${this.mark(one)});`;
      out += this.node(one, holder);
      at = one.end;
    }
    return out + this.source.slice(at, end);
  }

  /** The text of a node, with what belongs into it. */
  node(node, parent) {
    if (node === null) return '';
    const special = SPECIAL[node.type];
    return special === undefined ? this.plain(node) : special.call(this, node, parent);
  }

  /** The node's own text with the texts of its children. */
  plain(node, start = node.start, end = node.end, given = new Map()) {
    let out = '';
    let at = start;
    for (const child of this.children(node)) {
      if (child.start < at || child.end > end) continue;
      out += this.source.slice(at, child.start);
      out += given.has(child) ? given.get(child) : this.node(child, node);
      at = child.end;
    }
    return out + this.source.slice(at, end);
  }

  /** The line breaks between two positions: lines stay where they are. */
  breaks(start, end) {
    return '\n'.repeat(this.source.slice(start, end).split('\n').length - 1);
  }

  children(node) {
    const found = [];
    for (const key of Object.keys(node)) {
      const value = node[key];
      for (const child of Array.isArray(value) ? value : [value]) {
        if (child !== null && typeof child === 'object' && typeof child.type === 'string') {
          found.push(child);
        }
      }
    }
    // The longer of two at one place holds the other: `{a = f()}` is a key and a pattern.
    return found.sort((a, b) => a.start - b.start || b.end - a.end);
  }

  /** A statement that stands where a block could. */
  body(node, parent) {
    if (node === null || NEVER_BLOCKS.has(node.type)) return this.node(node, parent);
    return `{__clearhouse_m(${this.mark(node)});${this.node(node, parent)}}`;
  }

  written(pattern) {
    if (pattern === null) return;
    if (pattern.type === 'MemberExpression') this.assigned.add(pattern);
    else if (pattern.type === 'ArrayPattern') pattern.elements.forEach((p) => this.written(p));
    else if (pattern.type === 'ObjectPattern') {
      pattern.properties.forEach((p) => this.written(p.value ?? p.argument));
    } else if (pattern.type === 'AssignmentPattern') this.written(pattern.left);
    else if (pattern.type === 'RestElement') this.written(pattern.argument);
  }

  /** Marks that something which was thrown leaves a function, unless it came out of the target. */
  caught(node) {
    return `catch(__clearhouse_error){throw __clearhouse_p(${this.mark(node)},__clearhouse_error)}`;
  }

  /** A function that tells when something thrown passes through it. */
  passing(node) {
    const { body } = node;
    const first = body.body.find((one) => one.directive === undefined);
    if (first === undefined) return this.plain(node);
    const last = body.end - 1;
    const rules = body.body.filter((one) => one.directive !== undefined);
    const start = rules.length > 0 ? rules[rules.length - 1].end : body.start + 1;
    const rest = body.body.slice(rules.length);
    const text = `${this.source.slice(body.start, start)};try{` +
      `${this.statements(body, rest, start, last)}}${this.caught(node)}}`;
    return this.plain(node, node.start, node.end, new Map([[body, text]]));
  }

  /** What goes to whoever called: the harness itself, or the target. */
  givenBack(node) {
    if (node.argument === null) return this.plain(node);
    const text = `__clearhouse_b(${node.loc.start.line},(${this.node(node.argument, node)}))`;
    return this.plain(node, node.start, node.end, new Map([[node.argument, text]]));
  }

  looping(node) {
    const given = new Map([[node.body, this.body(node.body, node)]]);
    if (node.test) given.set(node.test, this.truth(node.test, this.node(node.test, node)));
    return this.plain(node, node.start, node.end, given);
  }

  iterating(node) {
    this.written(node.left);
    return this.looping(node);
  }

  /** What is called: an object and the name of its method, or a function. */
  callee(node, callee, optional) {
    const line = node.loc.start.line;
    if (callee.type === 'MemberExpression') {
      const object = this.node(callee.object, callee);
      const key = callee.computed
        ? this.node(callee.property, callee)
        : JSON.stringify(callee.property.name);
      const chain = optional || callee.optional ? ',true' : '';
      return `__clearhouse_c(${line},(${object}),(${key})${chain})`;
    }
    const name = JSON.stringify(callee.type === 'Identifier' ? callee.name : '');
    return `__clearhouse_f(${line},(${this.node(callee, node)}),${name}${optional ? ',true' : ''})`;
  }
}

const SPECIAL = {
  BlockStatement(node) {
    return this.statements(node, node.body, node.start, node.end);
  },
  StaticBlock(node) {
    return this.statements(node, node.body, node.start, node.end);
  },
  SwitchCase(node) {
    if (node.consequent.length === 0) return this.plain(node);
    const first = node.consequent[0].start;
    const test = node.test;
    let head = this.source.slice(node.start, first);
    if (test) {
      head = this.source.slice(node.start, test.start) + this.node(test, node) +
        this.source.slice(test.end, first);
    }
    return head + this.statements(node, node.consequent, first, node.end);
  },
  IfStatement(node) {
    const given = new Map([
      [node.test, this.truth(node.test, this.node(node.test, node))],
      [node.consequent, this.body(node.consequent, node)],
    ]);
    if (node.alternate) given.set(node.alternate, this.body(node.alternate, node));
    return this.plain(node, node.start, node.end, given);
  },
  WhileStatement(node) {
    return this.looping(node);
  },
  DoWhileStatement(node) {
    return this.looping(node);
  },
  ForStatement(node) {
    return this.looping(node);
  },
  ForInStatement(node) {
    return this.iterating(node);
  },
  ForOfStatement(node) {
    return this.iterating(node);
  },
  ConditionalExpression(node) {
    const test = this.truth(node.test, this.node(node.test, node));
    return this.plain(node, node.start, node.end, new Map([[node.test, test]]));
  },
  LogicalExpression(node) {
    const given = new Map();
    for (const side of [node.left, node.right]) {
      given.set(side, this.truth(side, this.node(side, node)));
    }
    return this.plain(node, node.start, node.end, given);
  },
  BinaryExpression(node) {
    const text = this.plain(node);
    return COMPARISONS.has(node.operator) ? this.truth(node, text) : text;
  },
  UnaryExpression(node) {
    if (node.operator === 'delete') this.written(node.argument);
    const text = this.plain(node);
    return node.operator === '!' ? this.truth(node, text) : text;
  },
  UpdateExpression(node) {
    this.written(node.argument);
    return this.plain(node);
  },
  AssignmentExpression(node) {
    this.written(node.left);
    const kept = node.left.type !== 'Identifier';
    const noted = /^(\|\||&&|\?\?)=$/.test(node.operator);
    if (!noted && !(kept && node.operator === '=')) return this.plain(node);
    let right = this.node(node.right, node);
    if (noted) right = this.noting(node.right, right);
    if (kept) right = `__clearhouse_v(${node.loc.start.line},(${right}))`;
    return this.plain(node, node.start, node.end, new Map([[node.right, right]]));
  },
  AssignmentPattern(node) {
    const right = this.noting(node.right, this.node(node.right, node));
    return this.plain(node, node.start, node.end, new Map([[node.right, right]]));
  },
  FunctionDeclaration(node) {
    return this.passing(node);
  },
  FunctionExpression(node) {
    return this.passing(node);
  },
  ArrowFunctionExpression(node) {
    if (node.body.type === 'BlockStatement') return this.passing(node);
    // `x => ({a: 1})`: the parentheses are no part of the body, and go.
    const { body, params } = node;
    const after = params.length > 0 ? params[params.length - 1].end : node.start;
    const arrow = this.source.indexOf('=>', after) + 2;
    const noted = this.noting(body, this.node(body, node));
    const value = `__clearhouse_b(${body.loc.start.line},${noted})`;
    const head = this.plain(node, node.start, arrow);
    const [above, below] = [this.breaks(arrow, body.start), this.breaks(body.end, node.end)];
    return `${head}{${above}try{return ${value}}${this.caught(node)}${below}}`;
  },
  ThrowStatement(node) {
    const value = `__clearhouse_r((${this.node(node.argument, node)}))`;
    return this.plain(node, node.start, node.end, new Map([[node.argument, value]]));
  },
  ReturnStatement(node) {
    return this.givenBack(node);
  },
  YieldExpression(node) {
    return node.delegate ? this.plain(node) : this.givenBack(node);
  },
  AwaitExpression(node) {
    const value = `__clearhouse_w((${this.node(node.argument, node)}))`;
    return this.plain(node, node.start, node.end, new Map([[node.argument, value]]));
  },
  ThisExpression() {
    return '__clearhouse_s(this)';
  },
  Literal(node) {
    const text = this.source.slice(node.start, node.end);
    return node.regex ? `__clearhouse_x(${text})` : text;
  },
  Property(node) {
    return node.shorthand && node.value.type === 'Identifier'
      ? this.source.slice(node.start, node.end)
      : this.plain(node);
  },
  MemberExpression(node) {
    const line = node.loc.start.line;
    if (node.object.type === 'Super' || node.property.type === 'PrivateIdentifier') {
      return this.plain(node);
    }
    const object = this.node(node.object, node);
    const computed = node.computed && node.property.type !== 'Literal';
    if (this.assigned.has(node)) {
      const key = computed ? `__clearhouse_k(${line},(${this.node(node.property, node)}))` : null;
      const given = new Map([[node.object, `__clearhouse_o(${line},(${object}))`]]);
      if (key !== null) given.set(node.property, key);
      return this.plain(node, node.start, node.end, given);
    }
    if (!computed) return this.plain(node);
    const chain = node.optional ? ',true' : '';
    return `__clearhouse_g(${line},(${object}),(${this.node(node.property, node)})${chain})`;
  },
  CallExpression(node) {
    const { callee } = node;
    const own = callee.type === 'Super' || callee.object?.type === 'Super' ||
      callee.property?.type === 'PrivateIdentifier';
    if (own || (callee.type === 'Identifier' && callee.name === 'require')) return this.plain(node);
    const before = this.source.slice(node.start, callee.start); // perhaps a parenthesis
    let text = this.plain(node, callee.end, node.end);
    if (node.optional) text = text.replace('?.', '');
    return before + this.callee(node, callee, node.optional) + text;
  },
  NewExpression(node) {
    const { callee } = node;
    const name = callee.type === 'Identifier' ? callee.name : callee.property?.name ?? '';
    const line = node.loc.start.line;
    const made = `(__clearhouse_n(${line},(${this.node(callee, node)}),${JSON.stringify(name)}))`;
    return this.plain(node, node.start, node.end, new Map([[callee, made]]));
  },
  ImportExpression(node) {
    return `__clearhouse_i(${this.node(node.source, node)})`;
  },
  ImportDeclaration(node) {
    const from = `await __clearhouse_i(${JSON.stringify(String(node.source.value))})`;
    const names = [];
    let whole = null;
    for (const one of node.specifiers) {
      if (one.type === 'ImportNamespaceSpecifier') whole = one.local.name;
      else if (one.type === 'ImportDefaultSpecifier') names.push(`default: ${one.local.name}`);
      else {
        const imported = one.imported.name ?? one.imported.value;
        names.push(`${JSON.stringify(String(imported))}: ${one.local.name}`);
      }
    }
    const held = whole ?? `__clearhouse_${node.start}`;
    const lines = this.breaks(node.start, node.end);
    const rest = names.length > 0 ? `const {${names.join(', ')}} = ${held};` : '';
    return `const ${held} = ${from};${rest}${lines}`;
  },
  ExportNamedDeclaration(node) {
    if (node.declaration) {
      const { declaration } = node;
      const names = declaration.declarations
        ? declaration.declarations.map((d) => d.id.name)
        : [declaration.id.name];
      for (const name of names) if (name) this.exported.push([name, name]);
      return this.node(declaration, node);
    }
    for (const one of node.specifiers) {
      this.exported.push([one.exported.name ?? one.exported.value, one.local.name]);
    }
    return this.breaks(node.start, node.end);
  },
  ExportDefaultDeclaration(node) {
    const { declaration } = node;
    const text = this.node(declaration, node);
    if (/Declaration$/.test(declaration.type) && declaration.id) {
      this.exported.push(['default', declaration.id.name]);
      return text;
    }
    this.exported.push(['default', '__clearhouse_default']);
    return `const __clearhouse_default = (${text});`;
  },
  ExportAllDeclaration(node) {
    return this.breaks(node.start, node.end);
  },
};

module.exports = { instrument };
