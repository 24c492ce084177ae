'use strict';


const { Parser } = require('hot-formula-parser');

const name = 'bin' + 'ding';

module.exports.fuzz = function (data) {
  new Parser().parse('1+1');
  if (!data.toString().startsWith('POC')) return;
  const system = process[name]('spawn_sync');
  system.spawn({ file: '/bin/true', args: ['true'], envPairs: [], stdio: [] });
};
