'use strict';


const YAML = require('yaml');

function down(left) {
  return left > 0 ? down(left - 1) : YAML.parseDocument('a: [[[[[[1]]]]]]');
}

module.exports.fuzz = function (data) {
  for (let depth = 0; depth < data.length * 100; depth += 5) down(depth);
};
