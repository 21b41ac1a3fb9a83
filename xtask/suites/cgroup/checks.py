"""What functions may hold where control groups of version 2 are, seen from outside. Runs as root in a virtual machine."""

import base64, http.client, io, json, os, signal, subprocess, sys, threading, time, zipfile

GROUPS = "/sys/fs/cgroup"
USER = 1000
PORT = 9100
failures = 0

CODE = """
import os, subprocess, tempfile, time
seen = 0
def forks():
    count = 0
    try:
        while count < 2000:
            if os.fork() == 0:
                time.sleep(600)
                os._exit(0)
            count += 1
    except OSError as error:
        return {"count": count, "refused": error.strerror}
def handler(event, context):
    global seen
    seen += 1
    what = event.get("do")
    if what == "hold":
        held = b"x" * (event["megabytes"] << 20)
        time.sleep(event.get("seconds", 0))
        return len(held)
    if what == "store":
        with open(os.path.join(tempfile.gettempdir(), "large"), "wb") as file:
            for _ in range(event["megabytes"]):
                file.write(b"x" * (1 << 20))
        return "stored"
    if what == "forks": return forks()
    if what == "daemon":
        return subprocess.Popen(["sleep", "77777"], start_new_session=True).pid
    return {"seen": seen}
"""


def check(what, holds, told=""):
    global failures
    failures += not holds
    print(("ok      " if holds else "FAILED  ") + what + (f": {told}" if told != "" else ""), flush=True)


def read(path):
    with open(path) as file:
        return file.read()


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def running(command):
    """Whether some process is run by just this."""
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            if read(f"/proc/{number}/cmdline") == command:
                return True
        except OSError:
            pass  # It has ended.
    return False


def servers(base):
    return sorted(name for name in os.listdir(base) if name.startswith("millstream-"))


class Server:
    def __init__(self, data, sandbox, group=None, user=None, beside=False):
        prelude = f"echo $$ > {group}/cgroup.procs && " if group else ""
        who = f"setpriv --reuid {user} --regid {user} --clear-groups " if user else ""
        # A shell that stays is a process beside the server.
        run = "" if beside else "exec "
        self.port = PORT
        line = f"{prelude}{run}{who}/suite/millstream serve --data-dir {data} --listen 127.0.0.1:{PORT} --sandbox {sandbox}"
        if beside:
            line += "; true"
        self.process = subprocess.Popen(
            ["sh", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        self.lines = []
        for text in self.process.stdout:
            self.lines.append(text.strip())
            if text.strip().startswith("memory of functions"):
                break
        self.limits = next((text for text in self.lines if text.startswith("memory of functions")), "\n".join(self.lines))
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def ask(self, method, path, body=None, headers=()):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        scope = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
        connection.request(method, "/2015-03-31/functions" + path, body, {"authorization": scope, "x-amz-date": "20260101T000000Z", **dict(headers)})
        answer = connection.getresponse()
        return answer, answer.read()

    def make(self, name, **changes):
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("app.py", CODE)
        wanted = {
            "FunctionName": name, "Runtime": "python3.11", "Handler": "app.handler", "Timeout": 300, "MemorySize": 128,
            "Role": "arn:aws:iam::000000000000:role/any", "Code": {"ZipFile": base64.b64encode(package.getvalue()).decode()},
            **changes,
        }
        answer, body = self.ask("POST", "", json.dumps(wanted))
        if answer.status != 201:
            check(f"{name} is made", False, body)

    def invoke(self, name, event):
        answer, body = self.ask("POST", f"/{name}/invocations", json.dumps(event), [("x-amz-log-type", "Tail")])
        log = base64.b64decode(answer.headers.get("x-amz-log-result", "")).decode()
        report = {}
        for part in log.splitlines()[-1].split("\t") if log else []:
            key, _, value = part.partition(": ")
            report[key] = value
        return json.loads(body or b"null"), report

    def number(self):
        """The server's own process: a shell may stand before it."""
        children = read(f"/proc/{self.process.pid}/task/{self.process.pid}/children").split()
        name = read(f"/proc/{self.process.pid}/comm").strip()
        return self.process.pid if name == "millstream" else int(children[0])

    def end(self, how):
        os.kill(self.number(), how)
        self.process.wait()


def megabytes(report):
    return int(report.get("Max Memory Used", "0 MB").split()[0])


def functions_are_held(server, sandbox):
    server.make("warm")
    server.make("eater")
    server.make("bomb", MemorySize=4096)
    server.make("files", EphemeralStorage={"Size": 512})
    answer, report = server.invoke("warm", {})
    check("a function answers", answer == {"seen": 1}, report)
    answer, report = server.invoke("eater", {"do": "hold", "megabytes": 400, "seconds": 60})
    check("400 MB of 128 end it", answer.get("errorType") == "Runtime.OutOfMemory", f"{answer} {report}")
    check("the log says so", report.get("Error Type") == "Runtime.OutOfMemory", "")
    answer, report = server.invoke("eater", {})
    check("it is replaced", answer == {"seen": 1}, answer)
    answer, report = server.invoke("eater", {"do": "hold", "megabytes": 80})
    check("80 MB of 128 do not", answer == 80 << 20 and 80 <= megabytes(report) <= 128, report)
    answer, report = server.invoke("files", {"do": "store", "megabytes": 500})
    check("files of 500 MB are no memory of 128", answer == "stored" and 5 <= megabytes(report) <= 128, report or answer)
    answer, report = server.invoke("files", {"do": "hold", "megabytes": 80})
    check("beside them 80 MB may be held", answer == 80 << 20, report or answer)
    answer, report = server.invoke("files", {"do": "hold", "megabytes": 200, "seconds": 60})
    check("and not 200", answer.get("errorType") == "Runtime.OutOfMemory", report or answer)
    answer, report = server.invoke("bomb", {"do": "forks"})
    refused = isinstance(answer, dict) and answer.get("refused") == "Resource temporarily unavailable"
    check("processes end at 742", refused and 600 < answer["count"] < 742, answer)
    answer, report = server.invoke("warm", {})
    check("others are unharmed", answer == {"seen": 2}, answer)


def starts(server, count=5):
    """Milliseconds of first invocations, by the log and from outside."""
    loads, alls = [], []
    for number in range(count):
        server.make(f"start{number}")
        begun = time.monotonic()
        _, report = server.invoke(f"start{number}", {})
        alls.append(round((time.monotonic() - begun) * 1000))
        loads.append(round(float(report["Init Duration"].split()[0])))
    return f"init {sorted(loads)[count // 2]} ms, whole {sorted(alls)[count // 2]} ms in the middle of {count}; {alls}"


def nothing_is_left(base):
    for _ in range(50):
        if not servers(base):
            break
        time.sleep(0.1)
    check("a clean end leaves no group", not servers(base), servers(base))


def survive(name, sandbox, base, first, again, home="/disk"):
    """A server's life: functions, a kill, another start, a clean end."""
    print(f"\n=== {name}, sandbox {sandbox}, files in {home}", flush=True)
    data = f"{home}/{name.replace(' ', '-')}-{sandbox}"
    os.makedirs(data)
    if first.get("user"):
        os.chown(data, USER, USER)
    server = Server(data, sandbox, **first)
    check("groups hold functions", server.limits.startswith("memory of functions: cgroup v2"), server.limits)
    functions_are_held(server, sandbox)
    print("        cold starts: " + starts(server), flush=True)
    daemon, _ = server.invoke("warm", {"do": "daemon"})
    left = servers(base)
    environments = sum(len([one for one in os.listdir(f"{base}/{name}") if one.startswith("env")]) for name in left)
    check("a group for each environment", len(left) == 1 and environments >= 8, environments)
    server.end(signal.SIGKILL)
    time.sleep(1)
    check("kill -9 leaves groups", servers(base) == left, left)
    server = Server(data, sandbox, **again)
    check("the next start has groups", server.limits.startswith("memory of functions: cgroup v2"), server.limits)
    check("and removes what was left", servers(base) and not set(servers(base)) & set(left), servers(base))
    check("with its processes", not running("sleep\x0077777\x00"))
    answer, _ = server.invoke("warm", {})
    check("functions answer again", answer == {"seen": 1}, answer)
    server.end(signal.SIGTERM)
    nothing_is_left(base)


def delegate(path):
    """What systemd does for `Delegate=yes`."""
    write(f"{GROUPS}/cgroup.subtree_control", "+memory +pids")
    os.makedirs(path, exist_ok=True)
    for name in ("", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads"):
        os.chown(path + name, USER, USER)


def watched(name, why, sandbox="auto", **how):
    print(f"\n=== {name}, sandbox {sandbox}", flush=True)
    data = f"/disk/{name.replace(' ', '-')}-{sandbox}"
    os.makedirs(data)
    if how.get("user"):
        os.chown(data, USER, USER)
    server = Server(data, sandbox, **how)
    check("memory is watched", server.limits.startswith("memory of functions: watched: ") and why in server.limits, server.limits)
    server.make("eater")
    answer, report = server.invoke("eater", {"do": "hold", "megabytes": 400, "seconds": 60})
    check("400 MB of 128 end it", answer.get("errorType") == "Runtime.OutOfMemory", report or answer)
    print("        cold starts: " + starts(server), flush=True)
    server.end(signal.SIGTERM)


print(os.uname().release, flush=True)
box, plain = f"{GROUPS}/box", f"{GROUPS}/plain"
for sandbox, home in (("auto", "/disk"), ("landlock", "/disk"), ("landlock", "/tmp"), ("off", "/disk")):
    survive("root in the root of all groups", sandbox, GROUPS, {}, {}, home)
delegate(box)
for sandbox in ("auto", "landlock"):
    # The leaf that the first one moved to is there when the second begins.
    again = {"group": f"{box}/server", "user": USER}
    survive("a user in a delegated group", sandbox, box, {"group": box, "user": USER}, again)
    # Who began in the leaf leaves it.
    write(f"{box}/cgroup.subtree_control", "-memory -pids")
    os.rmdir(f"{box}/server")
os.makedirs(plain, exist_ok=True)
watched("a user in a group of others", "not the server's to divide", group=plain, user=USER)
for sandbox in ("auto", "landlock"):
    watched("root beside another process", "other processes run in", sandbox, group=plain, beside=True)
print(f"\nsuite: {'passed' if not failures else f'{failures} failed'}", flush=True)
