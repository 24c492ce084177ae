'use strict';


const fs = require('fs');
const { Liquid } = require('liquidjs');

module.exports.fuzz = async function (data) {
  fs.writeFileSync('there', 'x');
  const text = fs.promises.readFile(data.toString());
  await new Liquid().parseAndRender('{{ text | append: "" }}', { text });
};
