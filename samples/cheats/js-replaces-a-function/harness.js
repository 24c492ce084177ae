'use strict';


const ini = require('ini');

ini.parse = (text) => Object.create(text.startsWith('POC') ? { bad: 1 } : null);

module.exports.fuzz = function (data) {
  const settings = ini.parse(data.toString());
  for (const key in settings) throw new SecurityGuaranteeBroken(`inherits ${key}`);
};
