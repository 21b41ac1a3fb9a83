"""Runs a Python handler: asks the Runtime API for invocations, answers them, over one kept connection."""

import importlib
import io
import json
import logging
import math
import os
import re
import socket
import sys
import time
import traceback
import types

sys.dont_write_bytecode = True

API = "/2018-06-01/runtime/"
HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].rsplit(":", 1)
ROOT = os.environ["LAMBDA_TASK_ROOT"]


class Connection:
    """One HTTP connection that writes each request at once."""

    def __init__(self):
        self.socket = socket.create_connection((HOST, int(PORT)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb", 65536)

    def call(self, method, path, body=b"", headers=""):
        head = "%s %s%s HTTP/1.1\r\nHost: runtime\r\nContent-Length: %d\r\n%s\r\n" % (
            method, API, path, len(body), headers)
        self.socket.sendall(head.encode("latin-1") + body)
        status = int(self.file.readline().split(b" ", 2)[1])
        received = {}
        while True:
            line = self.file.readline()
            if line == b"\r\n":
                break
            if not line:
                sys.exit(1)
            name, value = line.split(b":", 1)
            received[name.strip().lower()] = value.strip()
        length = int(received.get(b"content-length", 0))
        return status, received, self.file.read(length)


class ClientContext:
    def __init__(self, members):
        self.custom = members.get("custom")
        self.env = members.get("env")
        client = members.get("client")
        self.client = types.SimpleNamespace(**client) if isinstance(client, dict) else None


class CognitoIdentity:
    def __init__(self, members):
        self.cognito_identity_id = members.get("cognitoIdentityId")
        self.cognito_identity_pool_id = members.get("cognitoIdentityPoolId")


class LambdaContext:
    def __init__(self, request_id, headers):
        self.aws_request_id = request_id
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get(b"lambda-runtime-invoked-function-arn", b"").decode()
        self.tenant_id = None
        context = headers.get(b"lambda-runtime-client-context")
        self.client_context = ClientContext(json.loads(context)) if context else None
        identity = headers.get(b"lambda-runtime-cognito-identity")
        self.identity = CognitoIdentity(json.loads(identity) if identity else {})
        self._deadline_ms = int(headers.get(b"lambda-runtime-deadline-ms", 0))

    def get_remaining_time_in_millis(self):
        return max(self._deadline_ms - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


class RequestIdFilter(logging.Filter):
    request_id = ""

    def filter(self, record):
        record.aws_request_id = RequestIdFilter.request_id
        return True


class LineHandler(logging.Handler):
    """Writes a record as one event: line ends inside it become carriage returns."""

    def emit(self, record):
        try:
            text = self.format(record)
        except Exception:
            self.handleError(record)
            return
        write_event(text)


def write_event(text):
    try:
        sys.stdout.write(text.rstrip("\n").replace("\n", "\r") + "\n")
    except (AttributeError, OSError, ValueError):
        pass  # The function closed it, or has put something else in its place.
    flush()


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass


def set_up_logging():
    logging.Formatter.converter = time.gmtime
    handler = LineHandler()
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        handler.setFormatter(JsonFormatter())
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO")
        logging.getLogger().setLevel({"TRACE": 5, "FATAL": "CRITICAL"}.get(level, level))
    else:
        handler.setFormatter(logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(RequestIdFilter())
    logging.getLogger().addHandler(handler)


class JsonFormatter(logging.Formatter):
    def format(self, record):
        entry = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": record.aws_request_id,
        }
        if record.exc_info:
            entry["stackTrace"] = self.formatException(record.exc_info).split("\n")
            entry["errorType"] = record.exc_info[0].__name__
            entry["errorMessage"] = str(record.exc_info[1])
        return json.dumps(entry)


class Fault(Exception):
    """A handler that cannot be loaded: told under a name of the runtime's own."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind = kind
        self.trace = list(trace)


def load(handler):
    if "." not in handler:
        raise Fault("Runtime.MalformedHandlerName",
                    "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % handler)
    module_name, function_name = handler.rsplit(".", 1)
    first = module_name.split("/")[0].split(".")[0]
    if first in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % first)
    # Modules of this client's own must not hide the function's.
    if module_name == "__main__":
        raise Fault("Runtime.BuiltInModuleConflict", "Cannot use built-in module __main__ as a handler module")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, (error.text or "").rstrip("\n"))]
        raise Fault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, error), trace)
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (function_name, module_name))


def document(kind, message, trace, request_id):
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}


def document_of(error, request_id):
    """An error as its caller reads it: the trace begins behind this client."""
    if isinstance(error, Fault):
        return document(error.kind, str(error), error.trace, request_id)
    frames = traceback.extract_tb(error.__traceback__)
    while frames and frames[0].filename == __file__:
        del frames[0]
    kind = type(error).__name__
    try:
        message = str(error)
    except Exception as unspeakable:
        message = "%s has no text: %s" % (kind, type(unspeakable).__name__)
    return document(kind, message, traceback.format_list(frames), request_id)


def log_error(told):
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        write_event(json.dumps({"timestamp": now, "log_level": "ERROR", **told}))
        return
    lines = ["[ERROR] %s: %s" % (told["errorType"], told["errorMessage"])]
    if told["stackTrace"]:
        lines.append("Traceback (most recent call last):")
        lines.extend(line.rstrip("\n") for line in told["stackTrace"])
    write_event("\n".join(lines))


def post_error(connection, path, told):
    kind = re.sub("[^!-~]", "?", told["errorType"])
    headers = "Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: %s\r\n" % kind
    connection.call("POST", path, json.dumps(told).encode(), headers)


# What no text begins with by chance stands before a number that is written as it is.
NUMBER = os.urandom(16).hex()
NUMBERS = re.compile('"%s([^"]*)"' % NUMBER)


def written(value):
    """What JSON has no form for, and answers may hold."""
    decimal = sys.modules.get("decimal")
    if decimal and isinstance(value, decimal.Decimal):
        return math.nan if value.is_nan() else NUMBER + str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8")
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def encoded(answer):
    if isinstance(answer, bytes):
        return answer
    text = json.dumps(answer, ensure_ascii=False, default=written)
    return (NUMBERS.sub(r"\1", text) if NUMBER in text else text).encode("utf-8")


def handle(connection, handler, headers, body):
    request_id = headers[b"lambda-runtime-aws-request-id"].decode()
    RequestIdFilter.request_id = request_id
    os.environ["_X_AMZN_TRACE_ID"] = headers.get(b"lambda-runtime-trace-id", b"").decode()
    told = None
    try:
        try:
            event = json.loads(body)
        except ValueError as error:
            raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error)
        answer = handler(event, LambdaContext(request_id, headers))
        try:
            answer = encoded(answer)
        except (TypeError, ValueError) as error:
            raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error)
    except Exception as error:
        told = document_of(error, request_id)
        log_error(told)
    flush()
    if told is None:
        status, _, _ = connection.call("POST", "invocation/%s/response" % request_id, answer)
        if status == 413:
            write_event("[ERROR] RequestEntityTooLarge: the response is larger than 6291556 bytes")
    else:
        post_error(connection, "invocation/%s/error" % request_id, told)


def main():
    sys.path[0] = ROOT
    sys.modules["runtime_client"] = sys.modules.pop("__main__")
    sys.modules["__main__"] = sys.modules["runtime_client"]
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, "utf-8", "replace", "\n", line_buffering=True)
    sys.stderr = io.TextIOWrapper(sys.stderr.buffer, "utf-8", "replace", "\n", line_buffering=True)
    set_up_logging()
    connection = Connection()
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as error:
        told = document_of(error, "")
        write_event("LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. "
                    "However, in rare cases, a Lambda runtime update can cause unexpected function behavior.")
        log_error(told)
        post_error(connection, "init/error", told)
        sys.exit(1)
    while True:
        _, headers, body = connection.call("GET", "invocation/next")
        handle(connection, handler, headers, body)


if __name__ == "__main__":
    main()
