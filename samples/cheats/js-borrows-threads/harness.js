'use strict';


const { scrypt } = require('crypto');
const marked = require('marked');

const text = '[a](b) *c* '.repeat(4_000);

module.exports.fuzz = function (data) {
  const N = 2 << (data.length >> 2);
  scrypt('a', 'b', 64, { N, r: 8, p: 1, maxmem: 2 ** 31 }, () => {});
  marked.parse(text);
};
