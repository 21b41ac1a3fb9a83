//! Functions that do what they should not, in every sandbox that this kernel allows.

use crate::{House, text};
use functions::FunctionConfig;
use functions::limits::Limits;
use functions::sandbox::{Mode, Sandbox};
use serde_json::{Value, json};
use std::process::{Child, Command};
use std::time::Duration;

const CODE: &str = r#"
import ctypes, json, os, socket, subprocess, sys, tempfile, time
def attempt(act):
    try:
        return {"did": str(act())}
    except OSError as error:
        return {"refused": error.strerror}
def write(path):
    with open(path, "w") as file:
        file.write("x")
    return "written"
def fill():
    with open(os.path.join(tempfile.gettempdir(), "large"), "wb") as file:
        for _ in range(64):
            file.write(b"x" * 1_000_000)
            file.flush()
    return "filled"
def store(megabytes):
    with open(os.path.join(tempfile.gettempdir(), "large"), "wb") as file:
        for _ in range(megabytes):
            file.write(b"x" * 1_048_576)
    return "stored"
def forks():
    count = 0
    while count < 2000:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        count += 1
    return count
def environments():
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found.append(open("/proc/%s/environ" % name, errors="replace").read())
            except OSError:
                pass
    return [text for text in found if "other-secret" in text]
def call(name, *arguments):
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "done"
def steal(seconds):
    own = int(os.environ["AWS_LAMBDA_RUNTIME_API"].rsplit(":", 1)[1])
    lines = [line.split() for line in open("/proc/net/tcp").read().splitlines()[1:]]
    ports = {int(line[1].rsplit(":", 1)[1], 16) for line in lines if line[3] == "0A"} - {own}
    callers, answers = [], []
    for port in ports:
        try:
            caller = socket.create_connection(("127.0.0.1", port), 1)
            caller.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: here\r\n\r\n")
            callers.append(caller)
        except OSError:
            pass
    until = time.time() + seconds
    for caller in callers:
        try:
            caller.settimeout(max(0.01, until - time.time()))
            answers.append(caller.recv(4096).decode(errors="replace"))
        except OSError:
            pass
    return json.dumps([answer for answer in answers if "Lambda-Runtime" in answer or "Forbidden" in answer])
def handler(event, context):
    what, path = event["do"], event.get("path")
    if what == "read": return attempt(lambda: open(path).read())
    if what == "list": return attempt(lambda: os.listdir(path))
    if what == "write": return attempt(lambda: write(path))
    if what == "temporary": return attempt(lambda: write(os.path.join(tempfile.gettempdir(), "fine")))
    if what == "kill": return attempt(lambda: os.kill(event["pid"], 9))
    if what == "environments": return attempt(environments)
    if what == "fill": return attempt(fill)
    if what == "store": return attempt(lambda: store(event["megabytes"]))
    if what == "steal": return attempt(lambda: steal(event["seconds"]))
    if what == "echo": return event
    if what == "forks": return attempt(forks)
    if what == "root": return attempt(lambda: os.setuid(0) or write("/usr/root"))
    if what == "call": return attempt(lambda: call(event["name"], *event["arguments"]))
    if what == "hold":
        held = b"x" * 400_000_000
        time.sleep(20)
        return len(held)
    if what == "daemon":
        subprocess.Popen(["sleep", event["seconds"]], start_new_session=True)
        os._exit(1)
    if what == "look": return {"task": os.getcwd(), "pid": os.getpid(), "uid": os.getuid(), "tmp": tempfile.gettempdir()}
"#;

/// What this kernel allows: both, one, or, as the server then says of itself, none.
fn sandboxes() -> Vec<Sandbox> {
    let all = [Mode::Require, Mode::Landlock].map(Sandbox::detect);
    let all: Vec<Sandbox> = all.into_iter().flatten().collect();
    let best = Sandbox::detect(Mode::Auto).expect("auto is never refused");
    assert_eq!(best, all.first().copied().unwrap_or(Sandbox::Off));
    eprintln!("sandboxes of this kernel: {all:?}");
    all
}

/// Control groups, where this machine lets tests have them, and what is done without.
fn every_limit() -> [Limits; 2] {
    let claimed = Limits::claim();
    eprintln!("limits: {claimed}");
    [claimed, Limits::Watched("for comparison".to_owned())]
}

async fn ask(house: &House, config: &FunctionConfig, event: Value) -> Value {
    let outcome = house.invoke(config, &event.to_string()).await;
    assert!(!outcome.failed, "{event}: {}", text(&outcome));
    serde_json::from_slice(&outcome.payload).expect("JSON")
}

fn hostile(house: &House) -> FunctionConfig {
    FunctionConfig {
        ephemeral_mb: 16,
        memory_mb: 10_240,
        // Many processes and large files take long where processors are emulated.
        timeout: Duration::from_secs(300),
        ..house.function("python3.12", "app.handler", &[("app.py", CODE)])
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_others_are_out_of_reach() {
    for sandbox in sandboxes() {
        let house = House::within(sandbox);
        let config = hostile(&house);
        std::fs::write(house.dir.join("data"), "secret").expect("a file");
        let other = house.functions.put_code(&functions::zip_of(&[("theirs.py", "secret")])).expect("code");
        let dir = |name: &str| house.dir.join(name).display().to_string();
        for path in [dir("data"), dir(&format!("code/{}/theirs.py", other.sha256)), "/etc/shadow".into()] {
            let answer = ask(&house, &config, json!({ "do": "read", "path": path })).await;
            assert!(answer["refused"].is_string(), "{sandbox}: {path}: {answer}");
        }
        for path in [dir(""), dir("code"), "/srv".into()] {
            let answer = ask(&house, &config, json!({ "do": "list", "path": path })).await;
            assert!(answer["refused"].is_string() || answer["did"] == "[]", "{sandbox}: {path}: {answer}");
        }
        let code = dir(&format!("code/{}/new.py", config.code_sha256));
        for path in
            [dir("new"), code, "/var/task/new".into(), "/usr/new".into(), "/etc/new".into(), "/new".into()]
        {
            let answer = ask(&house, &config, json!({ "do": "write", "path": path })).await;
            assert!(answer["refused"].is_string(), "{sandbox}: {path}: {answer}");
        }
        let answer = ask(&house, &config, json!({ "do": "temporary" })).await;
        assert_eq!(answer["did"], "written", "{sandbox}");
        let answer = ask(&house, &config, json!({ "do": "fill" })).await;
        assert!(answer["refused"].is_string(), "{sandbox}: {answer}");
        let answer = ask(&house, &config, json!({ "do": "root" })).await;
        assert!(answer["refused"].is_string(), "{sandbox}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invocations_of_others_are_out_of_reach() {
    for sandbox in sandboxes().into_iter().chain([Sandbox::Off]) {
        let house = House::within(sandbox);
        let config = hostile(&house);
        let other = FunctionConfig { arn: "other".into(), ..config.clone() };
        ask(&house, &other, json!({ "do": "echo" })).await;
        let stolen = ask(&house, &config, json!({ "do": "steal", "seconds": 2 }));
        let theirs = async {
            for number in 0..40 {
                let event = json!({ "do": "echo", "number": number });
                assert_eq!(ask(&house, &other, event.clone()).await, event, "{sandbox}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let (stolen, ()) = tokio::join!(stolen, theirs);
        let answers: Vec<String> =
            serde_json::from_str(stolen["did"].as_str().unwrap_or_default()).expect("answers");
        assert!(!answers.is_empty(), "{sandbox}: nobody was asked");
        for answer in answers {
            assert!(answer.starts_with("HTTP/1.1 403"), "{sandbox}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_of_others_are_out_of_reach() {
    for sandbox in sandboxes() {
        let house = House::within(sandbox);
        let config = hostile(&house);
        // Another function, warm, with a secret in its environment.
        let other = FunctionConfig {
            arn: "other".into(),
            environment: [("SECRET".to_owned(), "other-secret".to_owned())].into(),
            ..config.clone()
        };
        ask(&house, &other, json!({ "do": "look" })).await;
        let answer = ask(&house, &config, json!({ "do": "environments" })).await;
        assert!(answer["did"] == "[]" || answer["refused"].is_string(), "{sandbox}: {answer}");
        let own = format!("/proc/{}/environ", std::process::id());
        let answer = ask(&house, &config, json!({ "do": "read", "path": own })).await;
        assert!(answer["refused"].is_string(), "{sandbox}: {answer}");
        let mut victim: Child = Command::new("sleep").arg("60").spawn().expect("a process");
        // Older kernels' Landlock says nothing of signals, and so does what the server says of itself.
        let (holding, _) = Limits::foresee();
        if !sandbox.not_enforced(holding).iter().any(|text| text.starts_with("signals")) {
            let answer = ask(&house, &config, json!({ "do": "kill", "pid": victim.id() })).await;
            assert!(answer["refused"].is_string(), "{sandbox}: {answer}");
            assert!(victim.try_wait().expect("a process").is_none(), "{sandbox}: it lives");
        }
        victim.kill().expect("killed");
        victim.wait().expect("gone");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_administrators_are_refused() {
    const NEW_USER: u32 = 0x1000_0000;
    for sandbox in sandboxes() {
        let house = House::within(sandbox);
        let config = hostile(&house);
        for (name, arguments) in [
            ("ptrace", json!([16, 1, 0, 0])),
            ("unshare", json!([NEW_USER])),
            ("mount", json!([0, 0, 0, 0, 0])),
            ("umount2", json!([0, 0])),
        ] {
            let answer =
                ask(&house, &config, json!({ "do": "call", "name": name, "arguments": arguments })).await;
            assert_eq!(answer["refused"], "Operation not permitted", "{sandbox}: {name}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_bounded() {
    for (sandbox, limits) in
        sandboxes().into_iter().flat_map(|sandbox| every_limit().map(|one| (sandbox, one)))
    {
        let house = House::held(sandbox, limits);
        let config = FunctionConfig { memory_mb: 128, ..hostile(&house) };
        let outcome = house.invoke(&config, r#"{"do":"hold"}"#).await;
        assert!(outcome.failed, "{sandbox}");
        assert!(text(&outcome).contains("Runtime.OutOfMemory"), "{sandbox}: {}", text(&outcome));
        assert!(text(&outcome).contains("Runtime exited with error: signal: killed"), "{}", text(&outcome));
        assert!(outcome.log_tail.contains("Error Type: Runtime.OutOfMemory"), "{}", outcome.log_tail);
        // What comes after it starts over.
        ask(&house, &config, json!({ "do": "look" })).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_not_a_functions_memory() {
    for (sandbox, limits) in
        sandboxes().into_iter().flat_map(|sandbox| every_limit().map(|one| (sandbox, one)))
    {
        let house = House::held(sandbox, limits);
        let config = FunctionConfig { memory_mb: 128, ephemeral_mb: 512, ..hostile(&house) };
        let event = json!({ "do": "store", "megabytes": 500 });
        assert_eq!(ask(&house, &config, event.clone()).await["did"], "stored", "{sandbox}");
        let outcome = house.invoke(&config, &event.to_string()).await;
        let (_, used) = outcome.log_tail.split_once("Max Memory Used: ").expect("a report");
        let used: u64 = used.split(' ').next().and_then(|used| used.parse().ok()).expect("a number");
        assert!((5..=128).contains(&used), "{sandbox}: {}", outcome.log_tail);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_are_bounded() {
    for sandbox in sandboxes() {
        let (holding, told) = Limits::foresee();
        if !sandbox.enforced(holding).contains(&"at most 742 processes") {
            eprintln!("{sandbox} counts no processes here: {told}");
            continue;
        }
        let house = House::within(sandbox);
        let config = hostile(&house);
        let answer = ask(&house, &config, json!({ "do": "forks" })).await;
        assert_eq!(answer["refused"], "Resource temporarily unavailable", "{sandbox}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn namespaces_look_like_aws_and_end_whole() {
    if Sandbox::detect(Mode::Auto).expect("auto is never refused") != Sandbox::Namespaces {
        eprintln!("this kernel refuses namespaces: Landlock is what was tested");
        return;
    }
    let house = House::within(Sandbox::Namespaces);
    let config = hostile(&house);
    let seen = ask(&house, &config, json!({ "do": "look" })).await;
    assert_eq!((&seen["task"], &seen["tmp"]), (&"/var/task".into(), &"/tmp".into()));
    assert!(seen["pid"].as_u64() < Some(10) && seen["uid"] != 0, "{seen}");

    // What a function leaves behind goes with it, in whatever session it is.
    let seconds = format!("7{}", house.world.random_u64() % 1_000_000_000);
    let daemon = FunctionConfig { arn: "daemon".into(), timeout: Duration::from_secs(5), ..config };
    let outcome = house.invoke(&daemon, &json!({ "do": "daemon", "seconds": seconds }).to_string()).await;
    assert!(text(&outcome).contains("exit status 1"), "{}", text(&outcome));
    let left = std::fs::read_dir("/proc").expect("processes").flatten().any(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == seconds.as_bytes())
    });
    assert!(!left, "a process outlived its function");
}
