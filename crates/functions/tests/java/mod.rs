//! Functions in Java, of classes that the JDK of this machine compiles.

use super::{House, text};
use functions::{FunctionConfig, Runtime};
use std::path::Path;
use std::process::Command;

/// A package of the handlers' classes alone: the interfaces are the runtime's.
fn package(house: &House) -> Vec<u8> {
    let jdk = house.functions.interpreter(Runtime::parse("java17").expect("a runtime"));
    let jdk = jdk.expect("a JDK is installed").program.parent().expect("its programs").to_owned();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let classes = house.dir.join("classes");
    let interfaces = std::fs::read_dir(here.join("src/client/java/interfaces")).expect("interfaces");
    let status = Command::new(jdk.join("javac"))
        .args(["-nowarn", "-d"])
        .arg(&classes)
        .arg(here.join("tests/java/Handlers.java"))
        .args(interfaces.map(|entry| entry.expect("a file").path()))
        .status();
    assert!(status.expect("javac runs").success());
    let zip = house.dir.join("handlers.jar");
    let status =
        Command::new(jdk.join("jar")).arg("cf").arg(&zip).arg("-C").arg(&classes).arg("example").status();
    assert!(status.expect("jar runs").success());
    std::fs::read(zip).expect("a package")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_handlers_of_every_form() {
    let house = House::new();
    let code = house.functions.put_code(&package(&house)).expect("a package");
    let base = house.function("java17", "example.Handlers::echo", &[("unused", "")]);
    let base = FunctionConfig { code_sha256: code.sha256, memory_mb: 256, ..base };
    let with =
        |handler: &str| FunctionConfig { handler: handler.into(), revision: handler.into(), ..base.clone() };
    let order = r#"{"Id":"7","kind":"second","lines":[{"price":2.5,"number":3}],"at":5,"unknown":[]}"#;
    let told = r#"{"at":5,"id":"7","kind":"SECOND","lines":[{"number":3,"price":2.5}],"open":true}"#;
    for (handler, event, expected) in [
        ("example.Handlers::greet", r#""ann""#, r#""hello ann of f""#),
        (
            "example.Handlers::echo",
            r#"{"a":[1,2.5,"é\n",null,true]}"#,
            r#"{"a":[1,2.5,"é\n",null,true],"count":1}"#,
        ),
        ("example.Handlers::echo", r#"{}"#, r#"{"count":2}"#),
        ("example.Handlers::add", "[1,2,39]", "42"),
        ("example.Handlers::nothing", "{}", "null"),
        ("example.Handlers$Orders", order, told),
        ("example.Handlers$Stream", r#"{"a":1}"#, r#"{"A":1}"#),
        ("example.Handlers$Stream::handleRequest", r#""x""#, r#""X""#),
    ] {
        let outcome = house.invoke(&with(handler), event).await;
        assert_eq!((text(&outcome), outcome.failed), (expected, false), "{handler}");
    }
    assert!(
        house.log().contains("two\nlines of é\n") && house.log().contains("colour green\n"),
        "{}",
        house.log()
    );

    let failed = house.invoke(&with("example.Handlers::fails"), "{}").await;
    let start = r#"{"errorMessage":"no","errorType":"java.lang.IllegalStateException","stackTrace":["example.Handlers.fails(Handlers.java:"#;
    assert!(failed.failed && text(&failed).starts_with(start), "{}", text(&failed));
    assert!(
        text(&failed)
            .contains(r#""cause":{"errorMessage":"because","errorType":"java.lang.RuntimeException""#)
    );
    let unfit = house.invoke(&with("example.Handlers::greet"), r#"{"no":"text"}"#).await;
    assert!(
        text(&unfit).contains(r#"{"errorMessage":"An error occurred during JSON parsing""#),
        "{}",
        text(&unfit)
    );
    for (handler, expected) in [
        (
            "example.Missing",
            r#"{"errorMessage":"Class not found: example.Missing","errorType":"java.lang.ClassNotFoundException""#,
        ),
        (
            "example.Handlers::missing",
            "No public method named missing with appropriate method signature found on class example.Handlers",
        ),
        ("example.Handlers", "Class example.Handlers does not implement an appropriate handler interface"),
        (
            "example.Handlers$Broken",
            r#"{"errorMessage":"not today","errorType":"java.lang.IllegalArgumentException""#,
        ),
    ] {
        let outcome = house.invoke(&with(handler), "{}").await;
        assert!(outcome.failed && text(&outcome).contains(expected), "{handler}: {}", text(&outcome));
    }
}
