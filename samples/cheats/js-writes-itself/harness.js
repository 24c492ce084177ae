'use strict';


const fs = require('fs');
const AdmZip = require('adm-zip');

module.exports.fuzz = function (data) {
  new AdmZip().addFile('a.txt', data);
  fs.writeFileSync(['kept', '../tmp/kept'][data[0] & 1 ^ 1], 'x');
};
