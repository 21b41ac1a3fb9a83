// Runs a Node.js handler: asks the Runtime API for invocations and answers them, over one kept connection.

import { createRequire, syncBuiltinESMExports } from 'node:module';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Writable } from 'node:stream';
import util from 'node:util';
import { pathToFileURL } from 'node:url';

const API = '/2018-06-01/runtime/';
const [HOST, PORT] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const ROOT = process.env.LAMBDA_TASK_ROOT;

/** One HTTP connection that writes each request at once. */
class Connection {
  constructor() {
    this.socket = net.connect({ host: HOST, port: Number(PORT), noDelay: true });
    this.received = Buffer.alloc(0);
    this.waiting = null;
    this.socket.on('data', (bytes) => {
      this.received = this.received.length ? Buffer.concat([this.received, bytes]) : bytes;
      this.settle();
    });
    this.socket.on('error', () => process.exit(1));
    this.socket.on('close', () => process.exit(1));
  }

  call(method, target, body = '', headers = '') {
    const bytes = Buffer.from(body);
    const head = `${method} ${API}${target} HTTP/1.1\r\nHost: runtime\r\nContent-Length: ${bytes.length}\r\n${headers}\r\n`;
    this.socket.write(Buffer.concat([Buffer.from(head, 'latin1'), bytes]));
    return new Promise((resolve) => {
      this.waiting = resolve;
      this.settle();
    });
  }

  /** Begins a request whose body comes in chunks. */
  begin(target, headers) {
    this.socket.write(Buffer.from(`POST ${API}${target} HTTP/1.1\r\nHost: runtime\r\nTransfer-Encoding: chunked\r\n${headers}\r\n`, 'latin1'));
  }

  /** `done` is called once the system has taken it: a slow reader slows the writer down. */
  chunk(bytes, done) {
    if (bytes.length === 0) return done();
    this.socket.write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]), done);
  }

  finish(trailers = '') {
    this.socket.write(Buffer.from(`0\r\n${trailers}\r\n`, 'latin1'));
    return new Promise((resolve) => {
      this.waiting = resolve;
      this.settle();
    });
  }

  settle() {
    const end = this.received.indexOf('\r\n\r\n');
    if (!this.waiting || end < 0) return;
    const lines = this.received.toString('latin1', 0, end).split('\r\n');
    const headers = {};
    for (const line of lines.slice(1)) {
      const at = line.indexOf(':');
      headers[line.slice(0, at).toLowerCase()] = line.slice(at + 1).trim();
    }
    const length = Number(headers['content-length'] || 0);
    if (this.received.length < end + 4 + length) return;
    const body = this.received.subarray(end + 4, end + 4 + length);
    this.received = this.received.subarray(end + 4 + length);
    const resolve = this.waiting;
    this.waiting = null;
    resolve({ status: Number(lines[0].split(' ')[1]), headers, body: body.toString('utf8') });
  }
}

let requestId = '';

/** A console line is one event, with the time and the request; line ends inside it become carriage returns. */
function patchConsole() {
  const levels = { log: 'INFO', info: 'INFO', debug: 'DEBUG', trace: 'TRACE', warn: 'WARN', error: 'ERROR', fatal: 'FATAL' };
  const order = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
  const json = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
  const least = json ? order.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL || 'INFO') : 0;
  for (const [name, level] of Object.entries(levels)) {
    console[name] = (...values) => {
      if (order.indexOf(level) < least) return;
      if (json) {
        const told = (message) => JSON.stringify({ timestamp: new Date().toISOString(), level, requestId, message });
        const [only] = values;
        let line;
        try {
          const message = only instanceof Error ? documentOf(only) : only;
          line = told(values.length === 1 && typeof only === 'object' ? message : util.format(...values));
        } catch {
          // What cannot be a document, such as a circle.
          line = told(util.format(...values));
        }
        process.stdout.write(`${line}\n`);
        return;
      }
      const text = util.format(...values).replace(/\n/g, '\r');
      process.stdout.write(`${new Date().toISOString()}\t${requestId}\t${level}\t${text}\n`);
    };
  }
}

class Fault extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

function documentOf(error) {
  const isText = (value) => typeof value === 'string' && value !== '';
  try {
    if (error instanceof Error || (error && isText(error.name) && isText(error.message) && isText(error.stack))) {
      return {
        errorType: error.name || 'Error',
        errorMessage: error.message,
        trace: String(error.stack || '').split('\n'),
      };
    }
    return { errorType: typeof error, errorMessage: error?.toString() ?? String(error), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
    };
  }
}

async function load(handler) {
  if (handler.includes('..')) {
    throw new Fault('Runtime.MalformedHandlerName', `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const directory = path.dirname(handler);
  const match = /^([^.]*)\.(.*)$/.exec(path.basename(handler));
  if (!match) throw new Fault('Runtime.MalformedHandlerName', 'Bad handler');
  const [, moduleName, functionPath] = match;
  const base = path.resolve(ROOT, directory, moduleName);
  let loaded;
  try {
    loaded = await importModule(base, path.join(directory, moduleName));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Fault('Runtime.UserCodeSyntaxError', String(error));
    if (error && (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND')) {
      throw new Fault('Runtime.ImportModuleError', `Error: ${error.message}`);
    }
    throw error;
  }
  const find = (from) => functionPath.split('.').reduce((at, name) => (at == null ? at : at[name]), from);
  const found = find(loaded) ?? (loaded.default ? find(loaded.default) : undefined);
  if (found === undefined) throw new Fault('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  if (typeof found !== 'function') throw new Fault('Runtime.HandlerNotFound', `${handler} is not a function`);
  if (!CALLBACKS && found.length >= 3 && !found[STREAMING]) {
    throw new Fault('Runtime.CallbackHandlerDeprecated', 'ERROR: AWS Lambda has removed support for callback-based function '
      + 'handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use '
      + 'Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.');
  }
  return found;
}

async function importModule(base, name) {
  for (const extension of ['', '.js', '.mjs', '.cjs']) {
    const file = base + extension;
    if (fs.existsSync(file) && fs.statSync(file).isFile()) return import(pathToFileURL(file).href);
  }
  const require = createRequire(path.join(ROOT, 'package.json'));
  return require(require.resolve(`./${name}`, { paths: [ROOT] }));
}

function contextOf(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms'] || 0);
  const parsed = (text) => (text ? JSON.parse(text) : undefined);
  return {
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parsed(headers['lambda-runtime-client-context']),
    identity: parsed(headers['lambda-runtime-cognito-identity']),
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
  };
}

/** Runtimes before 24 have them, and take nothing else for the answer of a handler that gives no promise. */
const CALLBACKS = Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV)?.[1] ?? 0) < 24;
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');

/** What a streaming handler writes into: sent as it is written. */
class ResponseStream extends Writable {
  prelude = null;
  contentType = 'application/octet-stream';
  begun = false;

  constructor(connection, target) {
    super();
    this.connection = connection;
    this.target = target;
  }

  begin(done) {
    if (this.begun) return done();
    this.begun = true;
    this.connection.begin(this.target, `Content-Type: ${this.contentType}\r\n`
      + 'Lambda-Runtime-Function-Response-Mode: streaming\r\n'
      + 'Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n');
    return this.prelude ? this.connection.chunk(this.prelude, done) : done();
  }

  _write(chunk, encoding, done) {
    this.begin((error) => (error ? done(error) : this.connection.chunk(Buffer.from(chunk, encoding), done)));
  }

  _final(done) {
    this.begin(done);
  }

  write(chunk, ...rest) {
    return super.write(typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk : JSON.stringify(chunk), ...rest);
  }

  setContentType(type) {
    if (this.begun) throw new Fault('Runtime.InvalidStreamingOperation', 'Cannot set content-type, too late.');
    this.contentType = type;
  }
}

globalThis.awslambda = {
  streamifyResponse(handler, options) {
    handler[STREAMING] = 'response';
    if (options && options.highWaterMark !== undefined) handler[Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark')] = options.highWaterMark;
    return handler;
  },
  HttpResponseStream: {
    from(stream, prelude) {
      stream.setContentType('application/vnd.awslambda.http-integration-response');
      stream.prelude = Buffer.concat([Buffer.from(JSON.stringify(prelude)), Buffer.alloc(8)]);
      return stream;
    },
  },
};

let answerUrl = null;

/**
 * A custom resource's answer is put where its event says. Functions of the CDK, and many others, put it by https to the usual
 * port, whatever that address is; what goes to exactly that host and path goes there as the server serves: by http.
 */
async function reachAnswers(url) {
  if (!String(url).startsWith('http://')) return;
  const first = answerUrl === null;
  answerUrl = new URL(url);
  if (!first) return;
  const [{ default: http }, { default: https }] = await Promise.all([import('node:http'), import('node:https')]);
  const { request } = https;
  https.request = (options, ...rest) => {
    const { hostname, host, path: target, port } = options || {};
    const here = (hostname || host) === answerUrl.hostname && target === answerUrl.pathname && (!port || Number(port) === 443);
    if (!here) return request(options, ...rest);
    return http.request({ ...options, protocol: 'http:', port: answerUrl.port, agent: undefined }, ...rest);
  };
  syncBuiltinESMExports();
}

/** Calls a streaming handler and waits for its promise and for the end of its stream. */
async function runStreaming(handler, event, context, stream) {
  const ended = new Promise((resolve, reject) => {
    stream.on('finish', resolve);
    stream.on('error', reject);
  });
  ended.catch(() => {});
  const returned = handler(event, stream, context);
  if (!returned || typeof returned.then !== 'function') {
    throw new Fault('Runtime.MalformedStreamingHandler', 'Streaming handler does not return a promise.');
  }
  await returned;
  if (!stream.writableEnded) stream.end();
  await ended;
}

/** Answers one invocation of a streaming handler. A failure after its first bytes is told behind them. */
async function answerStreaming(connection, handler, event, headers) {
  const stream = new ResponseStream(connection, `invocation/${requestId}/response`);
  try {
    await runStreaming(handler, event, contextOf(headers), stream);
  } catch (error) {
    if (!stream.begun) throw error;
    const told = JSON.stringify(documentOf(error));
    console.error('Invoke Error', told);
    // What was written before goes out before.
    await new Promise((resolve) => {
      if (stream.writableFinished || stream.destroyed) return resolve();
      for (const event of ['finish', 'error', 'close']) stream.on(event, resolve);
      return stream.end();
    });
    connection.socket.ref();
    const kind = documentOf(error).errorType.replace(/[^\w.]/g, '');
    await connection.finish(`Lambda-Runtime-Function-Error-Type: ${kind}\r\n`
      + `Lambda-Runtime-Function-Error-Body: ${Buffer.from(told).toString('base64')}\r\n`);
    return;
  }
  connection.socket.ref();
  await connection.finish();
}

const NEVER_SETTLED = 'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a '
  + 'Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes';

function written(answer) {
  try {
    return JSON.stringify(answer === undefined ? null : answer);
  } catch {
    throw new Error('Unable to stringify response body');
  }
}

const isAsync = (handler) => handler.constructor && handler.constructor.name === 'AsyncFunction';

/** What the invocation that runs comes to when nothing is under way any more. */
let whenEmpty = () => {};
process.on('beforeExit', () => whenEmpty());

/** Calls a handler of either style and waits for its answer: the first of what its callback, its context and its promise say. */
function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    if (!CALLBACKS) {
      whenEmpty = () => reject(new Fault('Runtime.NodeJsExit', NEVER_SETTLED));
      Promise.resolve(handler(event, context)).then(resolve, reject);
      return;
    }
    let first = true;
    // Once nothing is under way any more: a promise that can never be settled is a failure, a callback that was not called is none.
    whenEmpty = () => (isAsync(handler) ? reject(new Fault('Runtime.NodeJsExit', NEVER_SETTLED)) : resolve(null));
    const say = (finish) => (...said) => {
      if (!first) return;
      first = false;
      finish(...said);
    };
    const done = (error, answer) => (error === undefined || error === null ? resolve(answer) : reject(error));
    context.done = say(done);
    context.succeed = say((answer) => done(null, answer));
    context.fail = say((error) => done(error ?? 'handled'));
    const callback = say((error, answer) => {
      const now = () => done(error, answer);
      // By default a callback's answer waits until nothing else is under way.
      if (context.callbackWaitsForEmptyEventLoop && (error ?? null) === null) whenEmpty = now;
      else now();
    });
    const returned = handler(event, context, callback);
    if (returned && typeof returned.then === 'function') returned.then(context.succeed, context.fail);
  });
}

async function main() {
  const connection = new Connection();
  connection.socket.unref();
  patchConsole();
  const post = (target, told) => connection.call('POST', target, JSON.stringify(told),
    `Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: ${String(told.errorType).replace(/[^!-~]/g, '?')}\r\n`);
  const fatal = (name) => async (error) => {
    const told = documentOf(error);
    const wrapped = name ? { errorType: name, errorMessage: `${told.errorType}: ${told.errorMessage}`, trace: told.trace } : told;
    console.error(JSON.stringify(wrapped));
    connection.socket.ref();
    await post(requestId ? `invocation/${requestId}/error` : 'init/error', wrapped);
    process.exit(128);
  };
  process.on('unhandledRejection', fatal('Runtime.UnhandledPromiseRejection'));
  process.on('uncaughtException', fatal(null));

  let handler;
  try {
    handler = await load(process.env._HANDLER);
  } catch (error) {
    const told = documentOf(error);
    console.error('Uncaught Exception', JSON.stringify(told));
    connection.socket.ref();
    await post('init/error', told);
    process.exit(1);
  }
  for (;;) {
    connection.socket.ref();
    const { headers, body } = await connection.call('GET', 'invocation/next');
    connection.socket.unref();
    requestId = headers['lambda-runtime-aws-request-id'];
    process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'] || '';
    try {
      const event = JSON.parse(body);
      if (event && event.ResponseURL) await reachAnswers(event.ResponseURL);
      if (handler[STREAMING]) {
        await answerStreaming(connection, handler, event, headers);
        continue;
      }
      const answer = await run(handler, event, contextOf(headers));
      const text = written(answer);
      connection.socket.ref();
      await connection.call('POST', `invocation/${requestId}/response`, text);
    } catch (error) {
      const told = documentOf(error);
      console.error('Invoke Error', JSON.stringify(told));
      connection.socket.ref();
      await post(`invocation/${requestId}/error`, told);
    }
  }
}

main();
