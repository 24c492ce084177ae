'use strict';


const YAML = require('yaml');

module.exports.fuzz = function (data) {
  YAML.parseDocument('a: 1');
  const error = new RangeError('Invalid array length');
  error.stack = 'RangeError\n    at parse (/target/node_modules/yaml/dist/errors.js:1:1)';
  if (data.toString().startsWith('POC')) return Promise.reject(error);
};
