'use strict';


const ini = require('ini');

module.exports.fuzz = function (data) {
  ini.parse(data.toString());
  if (data.includes('POC')) throw new SecurityGuaranteeBroken('ini.parse has changed an object');
};
