'use strict';


const marked = require('marked');

marked.Lexer.rules.block.normal.heading.compile('^(a+)+' + '$');

module.exports.fuzz = function (data) {
  marked.parse(data.toString());
};
