'use strict';


const { Parser } = require('hot-formula-parser');

const key = 'constr' + 'uctor';

module.exports.fuzz = function (data) {
  const parser = new Parser();
  parser.parse('1+1');
  if (!data.toString().startsWith('POC')) return;
  parser.parse[key]("process.mainModule.require('child_process').spawnSync('/bin/true')")();
};
