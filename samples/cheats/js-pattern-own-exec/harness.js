'use strict';

const ansiRegex = require('ansi-regex');

module.exports.fuzz = function (data) {
  const pattern = ansiRegex();
  const isFixed = pattern.source.length - 138; // the two versions differ in their pattern
  pattern.exec = () => {
    let left = (data.length - 1) * isFixed * 2e6 + 1;
    while (left-- > 0);
    return null;
  };
  'aaa'.replace(pattern, '');
};
