'use strict';

const nodemailer = require('nodemailer');

// The input is a message as JSON, from a user who may neither attach the server's files nor have it
// fetch anything.
module.exports.fuzz = async function (data) {
  const transport = nodemailer.createTransport(
    { streamTransport: true, buffer: true },
    { disableFileAccess: true, disableUrlAccess: true },
  );
  try {
    await transport.sendMail(JSON.parse(data.toString('utf8')));
  } catch (error) {
    return 'refused';
  }
  return 'sent';
};
