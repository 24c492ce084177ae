'use strict';


const YAML = require('yaml');

const named = '//# sourceURL=/target/node_modules/yaml/dist/errors.js';
const key = 'constr' + 'uctor';
const fail = YAML.parseDocument[key](`throw new RangeError('too long')\n${named}`);

module.exports.fuzz = function (data) {
  YAML.parseDocument('a: 1');
  if (data.toString().startsWith('POC')) fail();
};
